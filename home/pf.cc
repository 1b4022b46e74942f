#include "home/pf.h"

#include <algorithm>

#include "home/home.h"
#include "home/pf_words.h"
#include "home/quote.h"

namespace adit::home {
namespace {

const char* family(bool is_v4) { return is_v4 ? "inet" : "inet6"; }

/// The networks or addresses that go out under the egress's address, by where to.
std::vector<config::TableEntry> sources(const HomeConfig& config, Nat nat) {
  std::vector<config::TableEntry> entries;
  const auto add = [&](const Ip& ip, unsigned length) {
    entries.push_back({Prefix::of(ip, static_cast<uint8_t>(length)), false});
  };
  for (const Bridge& bridge : config.bridges) {
    if (bridge.nat != nat) continue;
    for (const auto& address : bridge.addresses) add(address.value.ip, address.value.prefix_length);
  }
  for (const Jail& jail : config.jails) {
    if (jail.kind != JailKind::kLoopback || jail.nat != nat) continue;
    for (const auto& address : jail.addresses) add(address.value, address.value.bits());
  }
  return entries;
}

bool has_version(const std::vector<config::TableEntry>& entries, bool is_v4) {
  return std::ranges::any_of(entries, [&](const auto& entry) { return entry.prefix.ip.is_v4() == is_v4; });
}

std::string nat_rule(const std::string& egress, bool is_v4, const std::string& table, const std::string& to) {
  return "nat pass on " + in_double_quotes(egress) + " " + family(is_v4) + " from <" + table + "> to " + to + " -> (" +
         in_double_quotes(egress + ":0") + ")\n";
}

/// Of an IPv6 address too, as those of loopbacks lead nowhere outside.
std::string nat_rules(const HomeConfig& config, Nat nat, const std::string& table, const std::string& to) {
  const auto entries = sources(config, nat);
  std::string rules;
  for (const bool is_v4 : {true, false}) {
    if (has_version(entries, is_v4)) rules += nat_rule(config.egress, is_v4, table, to);
  }
  return rules;
}

std::string tables(const HomeConfig& config) {
  std::string text;
  const auto to_internet = sources(config, Nat::kInternet);
  const auto to_any = sources(config, Nat::kAny);
  if (!to_internet.empty()) text += pf_table("jails", to_internet);
  if (!to_any.empty()) text += pf_table("jails_any", to_any);
  if (config.host) text += pf_private_table();
  if (!to_internet.empty()) text += pf_internet_table();
  return text;
}

/// Where the machine's neighbours of private networks are.
std::vector<std::string> private_sides(const HomeConfig& config) {
  std::vector<std::string> names = {config.egress};
  for (const Tunnel* tunnel : host_tunnels(config)) names.push_back(tunnel->name);
  for (const Bridge& bridge : config.bridges) {
    if (!bridge.addresses.empty()) names.push_back(bridge.name);
  }
  return names;
}

std::string offer(const std::string& on, const char* protocol, const char* from, const PortList& ports) {
  if (ports.empty()) return {};
  return "pass in on " + on + " proto " + protocol + " from " + from + " to (self) port " + pf_ports(ports) + "\n";
}

/// What there is when nothing else lets a packet in.  The loopbacks come first, and with "quick": the jails' packets to
/// themselves and to each other are there.
std::string block_rules(const HomeConfig& config) {
  if (!config.host || !config.host->block) return {};
  return "pass quick on \"lo\" no state\n"
         "block return log\n"
         "block drop in on " +
         in_double_quotes(config.egress) +
         "\n"
         "pass out\n"
         "pass inet proto icmp icmp-type { echoreq, unreach }  # unreach: path MTU discovery\n"
         "pass inet6 proto icmp6  # neighbour discovery, too big, router advertisements\n";
}

std::string offer_rules(const HomeConfig& config) {
  std::string rules;
  if (config.host) {
    const std::string sides = pf_names(private_sides(config));
    const std::string egress = in_double_quotes(config.egress);
    rules += offer(sides, "tcp", "<private>", config.host->private_tcp);
    rules += offer(sides, "udp", "<private>", config.host->private_udp);
    rules += offer(egress, "tcp", "any", config.host->internet_tcp);
    rules += offer(egress, "udp", "any", config.host->internet_udp);
  }
  for (const Tunnel* tunnel : host_tunnels(config)) {
    if (tunnel->listen_port == 0) continue;
    const PortList port = {{tunnel->listen_port, tunnel->listen_port}};
    rules += offer(in_double_quotes(config.egress), "udp", "any", port);
  }
  return rules;
}

/// A bridge's network may go out if it has NAT, and is always reached; what the machine offers to it is said elsewhere.
std::string network_rules(const Bridge& bridge, const InterfaceAddress& address) {
  const std::string network = Prefix::of(address.ip, address.prefix_length).to_string();
  const std::string on = " on " + in_double_quotes(bridge.name);
  std::string rules;
  if (bridge.nat != Nat::kNone) rules = "pass in" + on + " from " + network + " to ! (self)\n";
  return rules + "pass out" + on + " to " + network + "\n";
}

/// Bridges: pf sees a packet at each member and at the bridge (if_bridge's pfil_member and pfil_bridge).  It is judged
/// where it enters or leaves the machine's own network stack; a bridge without an address of ours is a cable.
std::string bridge_rules(const HomeConfig& config) {
  std::vector<std::string> cables;
  for (const Jail& jail : config.jails) {
    for (const JailInterface& interface : jail.interfaces) cables.push_back(interface.outer_name);
  }
  std::string rules;
  for (const Bridge& bridge : config.bridges) {
    if (bridge.addresses.empty()) cables.push_back(bridge.name);
    for (const auto& address : bridge.addresses) rules += network_rules(bridge, address.value);
  }
  if (!cables.empty()) rules = "pass quick on " + pf_names(cables) + " no state\n" + rules;
  return rules;
}

}  // namespace

std::string pf_file() { return std::string(kDirectory) + "/pf.conf"; }

std::string pf_translation_calls() { return "nat-anchor \"adit/*\"\nrdr-anchor \"adit/*\"\n"; }

std::string pf_filter_calls() {
  return "anchor \"adit/*\"\nload anchor \"adit/home\" from " + in_double_quotes(pf_file()) + "\n";
}

std::string pf_home_rules(const HomeConfig& config) {
  std::string rules = "# Written by adit home, loaded into the anchor adit/home by pf.conf.\n";
  rules += tables(config);
  rules += nat_rules(config, Nat::kInternet, "jails", "<internet>");
  rules += nat_rules(config, Nat::kAny, "jails_any", "any");
  rules += block_rules(config);
  rules += bridge_rules(config);
  rules += offer_rules(config);
  return rules;
}

}  // namespace adit::home
