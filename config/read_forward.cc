// [tables] and [[forward]].
#include <algorithm>

#include "config/nearest.h"
#include "config/read.h"
#include "config/values.h"

namespace adit::config {
namespace {

/// A list of prefixes; `name` as messages know it.  A "!" only takes out of what the other entries let in.
Table read_entries(const std::vector<Text>& texts, std::string_view name, Place list, Problems& problems) {
  Table table;
  const size_t before = problems.count();
  for (const auto& [text, place] : texts) {
    const auto entry = parse_table_entry(text);
    if (entry) table.push_back(*entry);
    if (!entry) problems.add(place, in_quotes(text) + " is not a network like \"10.0.0.0/8\" or \"!10.0.0.0/8\"");
  }
  if (problems.count() == before && std::ranges::all_of(table, &TableEntry::excluded)) {
    problems.add(list, std::string(name) + " lets nobody in: it needs an entry without \"!\", such as \"0.0.0.0/0\"");
  }
  return table;
}

/// The same prefix both let in and taken out has no meaning.
void refuse_contradictions(const Table& table, std::string_view name, Place list, Problems& problems) {
  std::map<Prefix, bool> seen;
  for (const auto& [prefix, excluded] : table) {
    const auto [at, is_new] = seen.emplace(prefix, excluded);
    if (is_new || at->second == excluded) continue;
    problems.add(list, std::string(name) + " holds " + prefix.to_string() + " both with and without \"!\"");
  }
}

Table read_list(const Node& list, std::string_view name, Problems& problems) {
  const size_t before = problems.count();
  const std::vector<Text> texts = texts_of(list, name, problems);
  if (problems.count() != before) return {};
  Table table = read_entries(texts, name, list.place, problems);
  refuse_contradictions(table, name, list.place, problems);
  return table;
}

void read_from(TableReader& reader, const Tables& tables, Forward& forward) {
  const Node* node = reader.find("from");
  if (node == nullptr) return;
  if (node->kind != Node::Kind::kString) {
    forward.from = read_list(*node, "from", reader.problems());
    return;
  }
  const auto table = tables.find(node->string);
  if (table != tables.end()) {
    forward.from = table->second;
    return;
  }
  std::vector<std::string> names;
  for (const auto& [name, entries] : tables) names.push_back(name);
  const bool is_prefix = parse_table_entry(node->string).has_value();
  const std::string advice = is_prefix
                                 ? " (a list of networks stands in brackets: from = [" + in_quotes(node->string) + "])"
                                 : suggestion(node->string, names);
  reader.problems().add(node->place, "[tables] has no " + in_quotes(node->string) + advice);
}

void read_protocol(TableReader& reader) {
  const auto text = reader.text("protocol");
  if (!text || text->value == "udp") return;
  const std::string advice = text->value == "tcp" ? "this version forwards udp only" : "not " + in_quotes(text->value);
  reader.problems().add(text->place, "protocol must be \"udp\": " + advice);
}

void read_source(TableReader& reader) {
  const auto text = reader.text("source");
  if (!text || text->value == "snat") return;
  const std::string advice =
      text->value == "keep" ? "this version cannot keep the client's address yet" : "not " + in_quotes(text->value);
  reader.problems().add(text->place, "source must be \"snat\": " + advice);
}

/// Why a text is no endpoint to listen on; nothing when it is one.
std::optional<std::string> fault_of_listen(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  if (!endpoint) {
    const std::string_view port = text.substr(std::min(text.rfind(':'), text.size()));
    const bool is_range = port.find('-') != port.npos && port.find_first_not_of(":-0123456789") == port.npos;
    if (is_range) return " is a range of ports: this version takes single ports";
    return " is not an address and a port like \"0.0.0.0:34197\" or \"[::]:34197\"";
  }
  if (endpoint->port == 0) return " has no port: it must be from 1 to 65535";
  if (endpoint->ip.is_multicast()) return " is a multicast address, which nobody can be answered from";
  return {};
}

void read_listen(TableReader& reader, Forward& forward, ForwardPlaces& places) {
  const size_t before = reader.problems().count();
  for (const auto& [text, place] : reader.texts("listen")) {
    if (const auto fault = fault_of_listen(text)) {
      reader.problems().add(place, in_quotes(text) + *fault);
      continue;
    }
    forward.listen.emplace_back(text);
    forward.listeners.push_back({.listen = *Endpoint::parse(text), .to = {}});
    places.listen.push_back(place);
  }
  if (forward.listeners.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), reader.name() + " needs listen, such as \"0.0.0.0:34197\"");
  }
}

void read_to(TableReader& reader, Forward& forward, Place& place) {
  const size_t before = reader.problems().count();
  const auto text = reader.text("to");
  if (!text) {
    if (reader.problems().count() == before) {
      reader.problems().add(reader.place(), reader.name() + " needs to, such as \"10.1.2.2:34197\"");
    }
    return;
  }
  const auto to = Endpoint::parse(text->value);
  if (!to || to->port == 0 || to->ip.is_unspecified() || to->ip.is_multicast()) {
    reader.problems().add(text->place, in_quotes(text->value) + " is not the address and port of a service, like " +
                                           "\"10.1.2.2:34197\" or \"[fd00:1:2::2]:34197\" (a name will not do)");
    return;
  }
  forward.to = text->value;
  for (Listener& listener : forward.listeners) listener.to = *to;
  place = text->place;
}

void read_name(TableReader& reader, Forward& forward, Place& place) {
  const auto name = reader.text("name");
  place = name ? name->place : reader.place();
  if (!name) {
    if (!forward.listeners.empty()) forward.name = "udp-" + std::to_string(forward.listeners.front().listen.port);
    return;
  }
  forward.name = name->value;
  if (is_label(name->value)) return;
  reader.problems().add(name->place, "name must be 1 to 63 bytes without control characters");
}

void read_idle_timeout(TableReader& reader, Forward& forward) {
  const Node* node = reader.find("idle_timeout");
  if (node == nullptr) return;
  std::optional<Duration> timeout;
  if (node->kind == Node::Kind::kString) timeout = parse_duration(node->string);
  if (node->kind == Node::Kind::kInteger) timeout = parse_duration(std::to_string(node->integer));
  if (timeout && *timeout >= std::chrono::seconds(1) && *timeout <= std::chrono::hours(24)) {
    forward.idle_timeout = *timeout;
    return;
  }
  reader.problems().add(node->place, "idle_timeout must be from \"1s\" to \"24h\", like \"180s\", \"3m\" or 180");
}

void read_limits(TableReader& reader, Forward& forward) {
  constexpr int64_t kMostFlows = 16384;  // each flow needs a SNAT port of its own: so many has the forwarder
  const auto flows = reader.integer("max_flows", 1, kMostFlows);
  if (flows) forward.max_flows = static_cast<uint32_t>(flows->value);
  const auto per_source = reader.integer("max_flows_per_source", 1, kMostFlows);
  if (per_source) forward.max_flows_per_source = static_cast<uint32_t>(per_source->value);
}

}  // namespace

Tables read_tables(const Node& section, Problems& problems) {
  Tables tables;
  for (const Node& child : section.children) {
    tables.emplace(child.key, read_list(child, "table " + in_quotes(child.key), problems));
  }
  return tables;
}

void read_forward(TableReader reader, const Tables& tables, Config& config, Places& places) {
  Forward& forward = config.forwards.emplace_back();
  ForwardPlaces& place = places.forwards.emplace_back();
  forward.place = reader.place();
  read_protocol(reader);
  read_listen(reader, forward, place);
  read_name(reader, forward, place.name);
  read_to(reader, forward, place.to);
  read_from(reader, tables, forward);
  read_source(reader);
  read_idle_timeout(reader, forward);
  read_limits(reader, forward);
  reader.finish();
}

}  // namespace adit::config
