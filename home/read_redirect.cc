// [host] and [[redirect]].
#include <algorithm>

#include "config/values.h"
#include "home/read.h"
#include "home/words.h"

namespace adit::home {
namespace {

void read_family(TableReader& reader, Redirect& redirect) {
  constexpr size_t kNone = 3;
  const size_t family = read_choice(reader, "family", {"inet", "inet6", "both"}, kNone);
  if (family == kNone) return;
  redirect.inet = family != 1;
  redirect.inet6 = family != 0;
}

void read_on(TableReader& reader, Redirect& redirect) {
  const Node* node = reader.find("on");
  if (node == nullptr) return;
  redirect.on_egress = redirect.on_tunnel = false;
  for (const auto& text : reader.texts("on")) {
    if (text.value == "egress") redirect.on_egress = true;
    if (text.value == "tunnel") redirect.on_tunnel = true;
    if (text.value == "egress" || text.value == "tunnel") continue;
    reader.problems().add(text.place,
                          "on must be \"egress\" or \"tunnel\" or both, not " + config::in_quotes(text.value));
  }
  if (node->kind == Node::Kind::kArray && node->children.empty()) {
    reader.problems().add(node->place, "on must be \"egress\" or \"tunnel\" or both");
  }
}

void read_from(TableReader& reader, Redirect& redirect) {
  const Node* node = reader.find("from");
  if (node == nullptr) return;
  Problems& problems = reader.problems();
  if (node->kind == Node::Kind::kString) {
    redirect.from_table = node->string;
    if (node->string == "internet" || node->string == "private") return;
    redirect.from_table.clear();
    problems.add(node->place, "from must be \"internet\", \"private\" or a list of networks, not " +
                                  config::in_quotes(node->string));
    return;
  }
  const size_t before = problems.count();
  for (const auto& text : config::texts_of(*node, "from", problems)) {
    const auto entry = config::parse_table_entry(text.value);
    if (entry) redirect.from.push_back(*entry);
    if (!entry) problems.add(text.place, config::in_quotes(text.value) + " is not a network like \"10.0.0.0/8\"");
  }
  if (problems.count() != before || !std::ranges::all_of(redirect.from, &config::TableEntry::excluded)) return;
  problems.add(node->place, "from lets nobody in: it needs an entry without \"!\"");
}

void read_ports(TableReader& reader, Redirect& redirect) {
  const size_t before = reader.problems().count();
  redirect.ports = read_port_list(reader, "ports");
  if (redirect.ports.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), "[[redirect]] needs ports, such as 80 or \"21,80,8000-8010\"");
  }
  const auto inside = reader.integer("inside_port", 1, 65535);
  if (!inside) return;
  redirect.inside_port = static_cast<uint16_t>(inside->value);
  if (redirect.ports.size() > 1) {
    reader.problems().add(inside->place, "inside_port is for one port or one range: write a [[redirect]] for each");
  } else if (redirect.ports.size() == 1 && inside->value + redirect.ports[0].size() - 1 > 65535) {
    reader.problems().add(inside->place, "inside_port leaves no room for the " +
                                             std::to_string(redirect.ports[0].size()) + " ports of the range");
  }
}

}  // namespace

Host read_host(TableReader reader) {
  Host host;
  host.place = reader.place();
  host.private_tcp = read_port_list(reader, "private_tcp");
  host.private_udp = read_port_list(reader, "private_udp");
  host.internet_tcp = read_port_list(reader, "internet_tcp");
  host.internet_udp = read_port_list(reader, "internet_udp");
  host.block = reader.boolean("block").value_or(true);
  reader.finish();
  return host;
}

Redirect read_redirect(TableReader reader) {
  Redirect redirect;
  redirect.place = reader.place();
  redirect.name = read_word(reader, "name", is_redirect_name, "1 to 31 letters, digits, _ or -");
  const size_t protocol = read_choice(reader, "protocol", {"udp", "tcp", "both"}, 0);
  redirect.udp = protocol != 1;
  redirect.tcp = protocol != 0;
  read_ports(reader, redirect);
  const auto jail = reader.text("jail");
  redirect.jail_place = jail ? jail->place : reader.place();
  redirect.jail = read_required_word(reader, "jail", is_jail_name, "the name of a [[jail]]");
  read_family(reader, redirect);
  read_on(reader, redirect);
  read_from(reader, redirect);
  redirect.keep = read_choice(reader, "source", {"snat", "keep"}, 0) == 1;
  reader.finish();
  return redirect;
}

}  // namespace adit::home
