#include <algorithm>

#include "config/document.h"
#include "config/secret.h"
#include "home/check.h"
#include "home/read.h"
#include "home/words.h"

namespace adit::home {
namespace {

using config::ConfigError;

void read_host_section(TableReader& root, HomeConfig& config) {
  const Node* node = root.find("host");
  if (node == nullptr) return;
  if (node->kind == Node::Kind::kTable) {
    config.host = read_host({*node, "[host]", root.problems()});
  } else {
    root.problems().add(node->place, "host must be written [host], once");
  }
}

HomeConfig read_sections(const Node& document, Problems& problems) {
  HomeConfig config;
  TableReader root(document, "the file", problems);
  const std::string egress = read_word(root, "egress", is_egress, "an interface's name, or a group's like \"egress\"");
  if (!egress.empty()) config.egress = egress;
  read_host_section(root, config);
  for (const Node* node : root.tables("tunnel")) config.tunnels.push_back(read_tunnel({*node, "[[tunnel]]", problems}));
  for (const Node* node : root.tables("bridge")) {
    config.bridges.push_back(read_bridge({*node, "[[bridge]]", problems}, config.bridges.size()));
  }
  for (const Node* node : root.tables("jail")) config.jails.push_back(read_jail({*node, "[[jail]]", problems}));
  for (const Node* node : root.tables("redirect")) {
    config.redirects.push_back(read_redirect({*node, "[[redirect]]", problems}));
  }
  root.finish();
  return config;
}

template <typename Items>
auto* find_named(Items& items, std::string_view name) {
  const auto found = std::ranges::find(items, name, [](const auto& item) -> const std::string& { return item.name; });
  return found == items.end() ? nullptr : &*found;
}

}  // namespace

const Jail* find_jail(const HomeConfig& config, std::string_view name) { return find_named(config.jails, name); }

const Bridge* find_bridge(const HomeConfig& config, std::string_view name) { return find_named(config.bridges, name); }

std::vector<const Tunnel*> host_tunnels(const HomeConfig& config) {
  std::vector<const Tunnel*> tunnels;
  for (const Tunnel& tunnel : config.tunnels) {
    if (tunnel.jail.empty()) tunnels.push_back(&tunnel);
  }
  return tunnels;
}

std::vector<Ip> addresses_of(const Jail& jail) {
  std::vector<Ip> ips;
  for (const auto& address : jail.addresses) ips.push_back(address.value);
  for (const JailInterface& interface : jail.interfaces) {
    for (const auto& address : interface.addresses) ips.push_back(address.value.ip);
  }
  return ips;
}

std::optional<Ip> address_of(const Jail& jail, bool is_v4) {
  for (const Ip& ip : addresses_of(jail)) {
    if (ip.is_v4() == is_v4) return ip;
  }
  return {};
}

HomeConfig parse_home(std::string_view text, const std::string& file) {
  HomeConfig config;
  Problems problems;
  if (const auto document = config::read_document(text, problems)) {
    config = read_sections(*document, problems);
    check(config, problems);
  }
  if (problems.count() != 0) throw ConfigError(file, std::move(problems).in_order());
  return config;
}

HomeConfig load_home(const std::filesystem::path& file) {
  return parse_home(config::read_config_file(file).text(), file.string());
}

}  // namespace adit::home
