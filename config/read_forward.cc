// [[forward]] as a whole, and those of its keys that are one word.
#include "config/read_forward.h"

#include <initializer_list>

#include "config/values.h"

namespace adit::config {
namespace {

template <typename Value>
struct Choice {
  std::string_view name;
  Value value;
};

/// One of the choices; nothing when the key is not given or, with a problem, something else.
template <typename Value>
std::optional<Placed<Value>> read_choice(TableReader& reader, std::string_view key,
                                         std::initializer_list<Choice<Value>> choices) {
  const auto text = reader.text(key);
  if (!text) return {};
  std::string names;
  for (const auto& [name, value] : choices) {
    if (text->value == name) return Placed<Value>{value, text->place};
    names += (names.empty() ? "" : " or ") + in_quotes(name);
  }
  reader.problems().add(text->place, std::string(key) + " must be " + names + ", not " + in_quotes(text->value));
  return {};
}

void read_protocol(TableReader& reader, Forward& forward, ForwardPlaces& places) {
  const size_t before = reader.problems().count();
  const auto protocol = read_choice<Protocol>(reader, "protocol", {{"udp", Protocol::kUdp}, {"tcp", Protocol::kTcp}});
  places.protocol = protocol ? protocol->place : reader.place();
  if (protocol) forward.protocol = protocol->value;
  if (reader.problems().count() == before) places.known_protocol = forward.protocol;
}

/// "udp-27015-27030": the ports of the first entry, as many as fit.
std::string default_name(Protocol protocol, const PortList& ports) {
  const std::string prefix = protocol == Protocol::kTcp ? "tcp-" : "udp-";
  constexpr std::string_view kMore = ",...";
  std::string name = prefix + to_string(ports);
  if (is_label(name)) return name;
  while (!is_label(name + std::string(kMore))) name.erase(name.rfind(','));
  return name += kMore;
}

void read_name(TableReader& reader, Forward& forward, ForwardPlaces& places) {
  const auto name = reader.text("name");
  places.name = name ? name->place : reader.place();
  if (!name) {
    if (!places.listen.empty() && places.known_protocol) {
      forward.name = default_name(forward.protocol, places.listen.front().ports);
    }
    return;
  }
  forward.name = name->value;
  if (is_label(name->value)) return;
  reader.problems().add(name->place, "name must be 1 to 63 bytes without control characters");
}

void read_source(TableReader& reader, std::optional<Protocol> protocol, Forward& forward) {
  const auto source =
      read_choice<SourceAddress>(reader, "source", {{"snat", SourceAddress::kSnat}, {"keep", SourceAddress::kKeep}});
  if (!source) return;
  forward.source = source->value;
  if (source->value == SourceAddress::kSnat || protocol != Protocol::kTcp) return;
  reader.problems().add(source->place,
                        "source = \"keep\" is for udp only: a tcp service can be told the client's address by a "
                        "header, proxy_protocol = \"v2\"");
}

void read_proxy_protocol(TableReader& reader, std::optional<Protocol> protocol, Forward& forward) {
  if (!is_for(reader, "proxy_protocol", Protocol::kTcp, protocol)) return;
  const auto version =
      read_choice<ProxyProtocol>(reader, "proxy_protocol", {{"v1", ProxyProtocol::kV1}, {"v2", ProxyProtocol::kV2}});
  if (version) forward.proxy_protocol = version->value;
}

}  // namespace

void read_forward(TableReader reader, const Tables& tables, Config& config, Places& places) {
  Forward& forward = config.forwards.emplace_back();
  ForwardPlaces& place = places.forwards.emplace_back();
  forward.place = reader.place();
  read_protocol(reader, forward, place);
  read_listen(reader, forward, place);
  read_name(reader, forward, place);
  read_to(reader, forward, place);
  read_from(reader, tables, forward);
  read_source(reader, place.known_protocol, forward);
  read_proxy_protocol(reader, place.known_protocol, forward);
  read_timeouts(reader, place.known_protocol, forward);
  read_limits(reader, place.known_protocol, forward);
  reader.finish();
}

}  // namespace adit::config
