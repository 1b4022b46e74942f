// [[bridge]], [[jail]], [[jail.interface]] and [jail.rc].
#include "home/read.h"
#include "home/words.h"

namespace adit::home {
namespace {

constexpr std::string_view kInterfaceWord = "a letter, then at most 14 letters, digits or _";

JailInterface read_jail_interface(TableReader reader, const std::string& jail, size_t index) {
  JailInterface interface;
  interface.place = reader.place();
  const std::string unit = "e" + std::to_string(index);
  interface.outer_name = unit + "a_" + jail;
  interface.name = read_word(reader, "name", is_interface, kInterfaceWord);
  if (interface.name.empty()) interface.name = unit + "b_" + jail;
  interface.bridge = read_required_word(reader, "bridge", is_interface, "the name of a [[bridge]]");
  interface.addresses = read_networks(reader, "addresses");
  reader.finish();
  return interface;
}

void read_rc(const Node& node, Jail& jail, Problems& problems) {
  if (node.kind != Node::Kind::kTable) {
    problems.add(node.place, "rc must be written [jail.rc], once for a jail");
    return;
  }
  for (const Node& setting : node.children) {
    if (!is_rc_name(setting.key)) {
      problems.add(setting.key_place, config::in_quotes(setting.key) + " is not a variable of rc.conf");
    } else if (setting.kind != Node::Kind::kString || !is_rc_value(setting.string)) {
      problems.add(setting.place, setting.key + " must be text in quotes, without \" \\ $ ` in it");
    } else {
      jail.rc.emplace_back(setting.key, setting.string);
    }
  }
}

/// A key that jails of the other kind have.
void refuse(TableReader& reader, std::string_view key, std::string_view kind) {
  const Node* node = reader.find(key);
  if (node == nullptr) return;
  reader.problems().add(node->key_place, std::string(key) + " is for jails of kind = " + config::in_quotes(kind));
}

void read_loopback(TableReader& reader, Jail& jail) {
  for (const char* key : {"jib", "default_router", "gateway"}) refuse(reader, key, "vnet");
  const Node* interface = reader.find("interface");
  if (interface != nullptr && interface->kind == Node::Kind::kString) {
    jail.loopback = read_word(reader, "interface", is_interface, kInterfaceWord);
  } else if (interface != nullptr) {
    reader.problems().add(interface->key_place,
                          "interface must be a name like \"lo1\" in a jail of kind = \"loopback\"");
  }
  const size_t before = reader.problems().count();
  jail.addresses = read_ips(reader, "addresses");
  if (jail.addresses.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), "[[jail]] needs addresses, such as [\"127.0.1.1\", \"fd00:1::1\"]");
  }
  jail.nat = read_nat(reader, Nat::kInternet);
}

void read_vnet(TableReader& reader, Jail& jail, Place name_place) {
  refuse(reader, "nat", "loopback");  // a bridge has it
  refuse(reader, "addresses", "loopback");
  if (!jail.name.empty() && !is_vnet_jail_name(jail.name)) {
    reader.problems().add(name_place,
                          "name must be at most 11 letters, digits or _ for kind = \"vnet\": it becomes part "
                          "of an interface's name");
    jail.name.clear();
  }
  jail.jib = read_word(reader, "jib", is_interface, kInterfaceWord);
  jail.default_routers = read_ips(reader, "default_router");
  jail.is_gateway = reader.boolean("gateway").value_or(false);
  const size_t before = reader.problems().count();
  for (const Node* interface : reader.tables("interface")) {
    jail.interfaces.push_back(
        read_jail_interface({*interface, "[[jail.interface]]", reader.problems()}, jail.name, jail.interfaces.size()));
  }
  if (jail.interfaces.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), "[[jail]] of kind = \"vnet\" needs a [[jail.interface]]");
  }
}

void read_commands(TableReader& reader, Jail& jail) {
  constexpr std::string_view kCommandWord = "1 to 1000 printable ASCII characters";
  const Node* start = reader.find("start");
  jail.start = read_words(reader, "start", is_command, kCommandWord);
  jail.stop = read_words(reader, "stop", is_command, kCommandWord);
  jail.runs_rc = start == nullptr;
  jail.user = read_word(reader, "user", is_user, "a user's name");
  jail.background = reader.boolean("background").value_or(false);
  if (jail.runs_rc && (!jail.user.empty() || jail.background)) {
    reader.problems().add(reader.place(), "user and background say how start is run, which is not given");
  }
}

}  // namespace

Bridge read_bridge(TableReader reader, size_t index) {
  constexpr size_t kFirstUnit = 60;  // out of the way of bridges that the machine has already
  Bridge bridge;
  bridge.place = reader.place();
  bridge.name = read_required_word(reader, "name", is_interface, kInterfaceWord);
  bridge.clone = read_word(reader, "clone", is_bridge_clone, "a name like \"bridge0\"");
  if (bridge.clone.empty() && is_bridge_clone(bridge.name)) bridge.clone = bridge.name;
  if (bridge.clone.empty()) bridge.clone = "bridge" + std::to_string(kFirstUnit + index);
  bridge.addresses = read_networks(reader, "addresses");
  bridge.nat = read_nat(reader, bridge.addresses.empty() ? Nat::kNone : Nat::kInternet);
  reader.finish();
  return bridge;
}

Jail read_jail(TableReader reader) {
  Jail jail;
  jail.place = reader.place();
  const auto name = reader.text("name");
  jail.name = read_required_word(reader, "name", is_jail_name, "a letter, then at most 30 letters, digits, _ or -");
  jail.kind = static_cast<JailKind>(read_choice(reader, "kind", {"loopback", "vnet"}, 0));
  jail.path =
      read_required_word(reader, "path", is_path, "a directory like \"/jails/web\", of letters, digits and _ . -");
  jail.hostname = read_word(reader, "hostname", is_hostname, "letters, digits and - with dots between them");
  if (jail.hostname.empty()) jail.hostname = jail.name;
  if (jail.kind == JailKind::kLoopback) read_loopback(reader, jail);
  if (jail.kind == JailKind::kVnet) read_vnet(reader, jail, name ? name->place : reader.place());
  read_commands(reader, jail);
  jail.devfs = reader.boolean("devfs").value_or(jail.path != "/");
  jail.linux = reader.boolean("linux").value_or(false);
  if (const Node* rc = reader.find("rc")) read_rc(*rc, jail, reader.problems());
  reader.finish();
  return jail;
}

}  // namespace adit::home
