#include "home/rc.h"

#include <algorithm>
#include <set>

#include "home/jail.h"
#include "home/quote.h"
#include "home/tunnel.h"

namespace adit::home {
namespace {

std::string setting(const std::string& name, const std::string& value) {
  return name + "=" + in_double_quotes(value) + "\n";
}

/// What is there already stays in front.
std::string added(const std::string& name, const std::vector<std::string>& items) {
  if (items.empty()) return {};
  std::string value = "${" + name + "}";
  for (const std::string& item : items) value += " " + item;
  return setting(name, value);
}

/// ifconfig_IF, ifconfig_IF_ipv6 and ifconfig_IF_aliasN.  An interface without IPv4 must still come up.
std::string interface_settings(const std::string& name, const std::vector<Placed<InterfaceAddress>>& addresses) {
  std::string v4 = "up";
  std::string rest;
  bool has_v4 = false;
  bool has_v6 = false;
  int aliases = 0;
  for (const auto& [address, place] : addresses) {
    const std::string value = (address.ip.is_v4() ? "inet " : "inet6 ") + address.to_string();
    bool& has_one = address.ip.is_v4() ? has_v4 : has_v6;
    if (has_one) {
      rest += setting("ifconfig_" + name + "_alias" + std::to_string(aliases++), value);
    } else if (address.ip.is_v4()) {
      v4 = value + " up";
    } else {
      rest += setting("ifconfig_" + name + "_ipv6", value);
    }
    has_one = true;
  }
  return setting("ifconfig_" + name, v4) + rest;
}

std::string bridge_settings(const Bridge& bridge) {
  std::string text;
  if (bridge.clone != bridge.name) text += setting("ifconfig_" + bridge.clone + "_name", bridge.name);
  return text + interface_settings(bridge.name, bridge.addresses);
}

std::string gateway_settings(bool v4, bool v6) {
  std::string text;
  if (v4) text += setting("gateway_enable", "YES");
  if (v6) text += setting("ipv6_gateway_enable", "YES");
  return text;
}

/// The tunnels of the machine (jail "") or of a jail.
std::string tunnel_settings(const HomeConfig& config, const std::string& jail) {
  std::vector<std::string> interfaces;
  std::vector<std::string> profiles;
  for (const Tunnel& tunnel : config.tunnels) {
    if (tunnel.jail != jail) continue;
    if (tunnel.via == Via::kIfWg) interfaces.push_back(tunnel.name);
    if (tunnel.via == Via::kAdit) profiles.push_back(profile_of(tunnel));
  }
  std::string text;
  if (!interfaces.empty()) text += setting("wireguard_enable", "YES") + added("wireguard_interfaces", interfaces);
  if (profiles.empty()) return text;
  text += setting("adit_enable", "YES");
  // An empty adit_profiles means adit.toml, where there is one.
  text += "if [ -z \"${adit_profiles}\" ] && [ -e /usr/local/etc/adit/adit.toml ]; then adit_profiles=\"adit\"; fi\n";
  return text + added("adit_profiles", profiles);
}

/// rc.d/jail takes an empty list for every jail of /etc/jail.conf, and those must not stop starting.
std::string jail_settings(const HomeConfig& config) {
  if (config.jails.empty()) return {};
  std::string names;
  for (const Jail& jail : config.jails) names += " " + jail.name;
  return setting("jail_enable", "YES") +
         "# An empty jail_list means every jail of /etc/jail.conf, and stays empty where there is such a file.\n"
         "if [ -n \"${jail_list}\" ] || [ ! -e /etc/jail.conf ]; then jail_list=\"${jail_list}" +
         names + "\"; fi\n";
}

}  // namespace

bool forwards(const HomeConfig& config, bool is_v4) {
  return std::ranges::any_of(config.bridges, [&](const Bridge& bridge) {
    return std::ranges::any_of(bridge.addresses, [&](const auto& each) { return each.value.ip.is_v4() == is_v4; });
  });
}

bool needs_pf(const HomeConfig& config) {
  const auto has_nat = [](const auto& item) { return item.nat != Nat::kNone && !item.addresses.empty(); };
  return config.host || !config.redirects.empty() || !host_tunnels(config).empty() ||
         std::ranges::any_of(config.bridges, has_nat) || std::ranges::any_of(config.jails, has_nat);
}

std::vector<std::string> cloned_loopbacks(const HomeConfig& config) {
  std::set<std::string> names;
  for (const Jail& jail : config.jails) {
    if (jail.kind == JailKind::kLoopback && jail.loopback != "lo0") names.insert(jail.loopback);
  }
  return {names.begin(), names.end()};
}

std::string rc_conf_text(const HomeConfig& config) {
  std::vector<std::string> clones = cloned_loopbacks(config);
  for (const Bridge& bridge : config.bridges) clones.push_back(bridge.clone);
  std::string text = added("cloned_interfaces", clones);
  for (const Bridge& bridge : config.bridges) text += bridge_settings(bridge);
  text += gateway_settings(forwards(config, true), forwards(config, false));
  if (needs_pf(config)) text += setting("pf_enable", "YES");
  if (std::ranges::any_of(config.jails, &Jail::linux)) text += setting("linux_enable", "YES");
  return text + tunnel_settings(config, "") + jail_settings(config);
}

std::string jail_rc_conf_text(const HomeConfig& config, const Jail& jail) {
  if (!jail.runs_rc) return {};
  std::string text;
  for (const JailInterface& interface : jail.interfaces) {
    text += interface_settings(interface.name, interface.addresses);
  }
  for (const auto& router : jail.default_routers) {
    text += setting(router.value.is_v4() ? "defaultrouter" : "ipv6_defaultrouter", router.value.to_string());
  }
  text += gateway_settings(jail.is_gateway, jail.is_gateway && address_of(jail, false));
  text += tunnel_settings(config, jail.name);
  for (const auto& [name, value] : jail.rc) text += setting(name, value);
  return text;
}

std::string devfs_rules_text(const HomeConfig& config) {
  const auto needs_it = [&](const Jail& jail) { return needs_tun_ruleset(config, jail); };
  if (!std::ranges::any_of(config.jails, needs_it)) return {};
  return "[devfsrules_adit=" + std::to_string(kTunRuleset) +
         "]\n"
         "add include $devfsrules_jail_vnet\n"
         "add path 'tun*' unhide\n";
}

}  // namespace adit::home
