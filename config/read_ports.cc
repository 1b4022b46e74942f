// Where a [[forward]] listens and where it leads to.
#include "config/port_list.h"
#include "config/read_forward.h"

namespace adit::config {
namespace {

/// "fd00::2" where "[fd00::2]" is meant.
bool lacks_brackets(std::string_view text) {
  const auto ip = Ip::parse(text);
  return ip && ip->is_v6();
}

/// What is wrong with ports that follow an address, or nothing.
std::optional<std::string> fault_of_ports(std::string_view text, PortList& ports) {
  const auto fault = read_ports(text, ports);
  if (!fault) return {};
  return ": " + *fault;
}

std::optional<std::string> read_listen_entry(std::string_view text, PlacedPorts& entry) {
  const auto split = split_address(text);
  if (!split || !split->ports) {
    return " is not an address with ports like \"0.0.0.0:34197\", \"[::]:34197\" or \"0.0.0.0:21,80,8000-8010\"";
  }
  entry.ip = split->ip;
  if (entry.ip.is_multicast()) return " is a multicast address, which nobody can be answered from";
  if (auto fault = fault_of_ports(*split->ports, entry.ports)) return fault;
  const auto repeated = repeated_port(entry.ports);
  if (repeated) return ": port " + std::to_string(*repeated) + " is listed twice";
  return {};
}

std::optional<std::string> read_service(std::string_view text, PlacedPorts& service) {
  const auto split = split_address(text);
  if (!split && lacks_brackets(text)) return " needs brackets: \"[" + std::string(text) + "]\"";
  if (!split || split->ip.is_unspecified() || split->ip.is_multicast()) {
    return " is not the address of a service, like \"10.1.2.2:34197\", \"[fd00:1:2::2]:34197\" or, for the ports "
           "that " +
           std::string("are listened on, \"10.1.2.2\" (a name will not do)");
  }
  service.ip = split->ip;
  if (!split->ports) return {};
  return fault_of_ports(*split->ports, service.ports);
}

}  // namespace

void read_listen(TableReader& reader, Forward& forward, ForwardPlaces& places) {
  const size_t before = reader.problems().count();
  for (const auto& [text, place] : reader.texts("listen")) {
    PlacedPorts entry;
    entry.place = place;
    if (const auto fault = read_listen_entry(text, entry)) {
      reader.problems().add(place, in_quotes(text) + *fault);
      continue;
    }
    forward.listen.emplace_back(text);
    places.listen.push_back(std::move(entry));
  }
  if (forward.listen.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), reader.name() + " needs listen, such as \"0.0.0.0:34197\"");
  }
}

void read_to(TableReader& reader, Forward& forward, ForwardPlaces& places) {
  const size_t before = reader.problems().count();
  const auto text = reader.text("to");
  if (!text) {
    if (reader.problems().count() != before) return;
    reader.problems().add(reader.place(), reader.name() + " needs to, such as \"10.1.2.2:34197\"");
    return;
  }
  PlacedPorts service;
  service.place = text->place;
  if (const auto fault = read_service(text->value, service)) {
    reader.problems().add(text->place, in_quotes(text->value) + *fault);
    return;
  }
  forward.to = text->value;
  places.to = std::move(service);
}

std::vector<Listener> spell_out(const ForwardPlaces& forward) {
  std::vector<Listener> listeners;
  const std::vector<uint16_t> services = all_ports(forward.to.ports);
  for (const PlacedPorts& entry : forward.listen) {
    const std::vector<uint16_t> ports = all_ports(entry.ports);
    for (size_t i = 0; i < ports.size(); ++i) {
      uint16_t to = ports[i];
      if (services.size() == 1) to = services.front();
      if (services.size() > 1) to = services[i];
      listeners.push_back({.listen = {entry.ip, ports[i]}, .to = {forward.to.ip, to}});
    }
  }
  return listeners;
}

}  // namespace adit::config
