// What is wrong with forwards beside each other, and with where they lead.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "config/check.h"

namespace adit::config {
namespace {

/// Each listener is a descriptor: a process may have some thousands, and tcp connections need two each beside them.
constexpr uint64_t kMostListeners = 4096;

/// "0.0.0.0:27015-27030".
std::string to_string(const Ip& ip, PortRange range) {
  return (ip.is_v4() ? ip.to_string() : "[" + ip.to_string() + "]") + ":" + to_string(range);
}

/// False when there are too many to look at one by one.
bool check_listener_count(const Places& places, Problems& problems) {
  uint64_t count = 0;
  std::optional<Place> first_too_many;
  for (const ForwardPlaces& forward : places.forwards) {
    for (const PlacedPorts& entry : forward.listen) {
      count += count_ports(entry.ports);
      if (count > kMostListeners && !first_too_many) first_too_many = entry.place;
    }
  }
  if (!first_too_many) return true;
  problems.add(*first_too_many, "all forwards together listen on " + std::to_string(count) + " ports, at most " +
                                    std::to_string(kMostListeners) + " are possible: each takes a socket");
  return false;
}

/// Ports that are listened on so far, to find those that cannot be bound beside each other: a wildcard takes its port
/// on every address of its IP version.  Protocols do not meet.
class Listeners {
 public:
  /// The earlier entry that clashes at this port, if any.
  const PlacedPorts* clash(const PlacedPorts& entry, uint16_t port) {
    const Ip wildcard = entry.ip.is_v4() ? Ip::v4(0) : Ip();
    const auto same = all_.find({entry.ip, port});
    const auto any = all_.find({wildcard, port});
    const auto same_port = first_of_port_.find({entry.ip.is_v4(), port});
    const PlacedPorts* found = nullptr;
    if (entry.ip.is_unspecified() && same_port != first_of_port_.end()) found = same_port->second;
    if (any != all_.end()) found = any->second;
    if (same != all_.end()) found = same->second;
    all_.emplace(std::pair(entry.ip, port), &entry);
    first_of_port_.emplace(std::pair(entry.ip.is_v4(), port), &entry);
    return found;
  }

 private:
  std::map<std::pair<Ip, uint16_t>, const PlacedPorts*> all_;
  std::map<std::pair<bool, uint16_t>, const PlacedPorts*> first_of_port_;  // by IP version and port
};

/// The first of ascending ports, as far as they follow each other.
PortRange first_run(const std::vector<uint16_t>& ports) {
  PortRange run = {ports.front(), ports.front()};
  for (size_t i = 1; i < ports.size() && ports[i] == run.last + 1; ++i) run.last = ports[i];
  return run;
}

/// One problem for each earlier entry, however many ports both have.
void check_entry(const PlacedPorts& entry, Listeners& listeners, Problems& problems) {
  std::vector<uint16_t> ports = all_ports(entry.ports);
  std::ranges::sort(ports);
  std::map<const PlacedPorts*, std::vector<uint16_t>> clashes;
  for (const uint16_t port : ports) {
    const PlacedPorts* earlier = listeners.clash(entry, port);
    if (earlier != nullptr) clashes[earlier].push_back(port);
  }
  std::vector<std::pair<PortRange, const PlacedPorts*>> in_order;
  in_order.reserve(clashes.size());
  for (const auto& [earlier, shared] : clashes) in_order.emplace_back(first_run(shared), earlier);
  std::ranges::sort(in_order, {}, [](const auto& clash) { return clash.first.first; });
  for (const auto& [run, earlier] : in_order) {
    const std::string what =
        earlier->ip == entry.ip ? " is already listened on, " : " overlaps with " + to_string(earlier->ip, run) + ", ";
    problems.add(entry.place, to_string(entry.ip, run) + what + line_of(earlier->place));
  }
}

void check_listeners(const Places& places, Problems& problems) {
  std::map<std::optional<Protocol>, Listeners>
      listeners;  // none: of whatever was meant, which may clash with nothing else
  for (const ForwardPlaces& forward : places.forwards) {
    for (const PlacedPorts& entry : forward.listen) check_entry(entry, listeners[forward.known_protocol], problems);
  }
}

/// The interface's own socket is bound to every address.
void check_own_port(const Config& config, const Places& places, Problems& problems) {
  const uint16_t own = config.interface.listen_port;
  if (own == 0) return;
  const auto has_it = [&](const PortRange& range) { return range.first <= own && own <= range.last; };
  for (const ForwardPlaces& forward : places.forwards) {
    if (forward.known_protocol != Protocol::kUdp) continue;
    for (const PlacedPorts& entry : forward.listen) {
      if (std::ranges::none_of(entry.ports, has_it)) continue;
      problems.add(entry.place, to_string(entry.ip, {own, own}) + " is the interface's own listen_port, " +
                                    line_of(places.interface.listen_port));
    }
  }
}

/// Each number of ports that does not fit is said once: an entry for IPv4 is often followed by its twin for IPv6.
void check_port_counts(const Forward& forward, const ForwardPlaces& places, Problems& problems) {
  const uint64_t services = count_ports(places.to.ports);
  if (services <= 1) return;  // each port to its own number, or all to one
  std::set<uint64_t> said;
  for (size_t i = 0; i < places.listen.size(); ++i) {
    const uint64_t listened = count_ports(places.listen[i].ports);
    if (listened == services || !said.insert(listened).second) continue;
    problems.add(places.to.place, in_quotes(forward.to) + " has " + counted(services, "port") + ", " +
                                      in_quotes(forward.listen[i]) + " has " + counted(listened, "port") +
                                      ": write as many, one, or the address alone");
  }
}

/// Why what is sent to `to` would not arrive; nothing when it would.
std::optional<std::string> fault_of_service(const Config& config, const Places& places, const Ip& to) {
  const auto& addresses = config.interface.addresses;
  const auto is_it = [&](const InterfaceAddress& address) { return address.ip == to; };
  if (std::ranges::any_of(addresses, is_it)) return to.to_string() + " is the gateway's own address, not a service's";
  const auto holds_it = [&](const Prefix& prefix) { return prefix.contains(to); };
  const auto leads_to_it = [&](const Peer& peer) { return std::ranges::any_of(peer.allowed_ips, holds_it); };
  if (places.knows_all_allowed_ips && std::ranges::none_of(config.peers, leads_to_it)) {
    return "no peer's allowed_ips hold " + to.to_string() + ": nothing would get there";
  }
  return {};
}

void check_service(const Config& config, const Places& places, const PlacedPorts& to, Problems& problems) {
  if (const auto fault = fault_of_service(config, places, to.ip)) problems.add(to.place, *fault);
  const auto is_of_version = [&](const InterfaceAddress& address) { return address.ip.is_v4() == to.ip.is_v4(); };
  if (!places.knows_all_addresses || std::ranges::any_of(config.interface.addresses, is_of_version)) return;
  problems.add(to.place, std::string("the interface has no ") + (to.ip.is_v4() ? "IPv4" : "IPv6") + " address, which " +
                             to.ip.to_string() + " would answer to");
}

/// A client's own address cannot stand in a packet of the other IP version.
void check_kept_sources(const Forward& forward, const ForwardPlaces& places, Problems& problems) {
  if (forward.source != SourceAddress::kKeep || forward.protocol != Protocol::kUdp) return;
  for (size_t i = 0; i < places.listen.size(); ++i) {
    const bool is_v4 = places.listen[i].ip.is_v4();
    if (is_v4 == places.to.ip.is_v4()) continue;
    const std::string version = is_v4 ? "IPv4" : "IPv6";
    std::string text = in_quotes(forward.listen[i]) + " is " + version + " and " + places.to.ip.to_string();
    text += " is not, so source = \"keep\" cannot show it the clients: write a second forward to an ";
    text += version + " address of the service";
    problems.add(places.listen[i].place, std::move(text));
  }
}

}  // namespace

void check_forwards(const Config& config, const Places& places, Problems& problems) {
  if (check_listener_count(places, problems)) check_listeners(places, problems);
  check_own_port(config, places, problems);
  for (size_t i = 0; i < config.forwards.size(); ++i) {
    const Forward& forward = config.forwards[i];
    const ForwardPlaces& place = places.forwards[i];
    if (forward.protocol == Protocol::kTcp && !config.interface.tun) {
      problems.add(place.protocol,
                   "tcp needs the kernel's interface to reach its service: leave out tun = false in [interface]");
    }
    if (place.to.place.line == 0) continue;
    check_port_counts(forward, place, problems);
    check_kept_sources(forward, place, problems);
    if (!place.listen.empty()) check_service(config, places, place.to, problems);
  }
}

}  // namespace adit::config
