// Redirects: where they lead, and ports that two of them, or the machine itself, would have.
#include <algorithm>
#include <array>

#include "config/nearest.h"
#include "home/check.h"

namespace adit::home {
namespace {

using config::in_quotes;
using config::PortRange;
using config::Problems;

const char* version_of(bool is_v4) { return is_v4 ? "IPv4" : "IPv6"; }

/// Whether a redirect has rules of an IP version, which its jail then needs an address of.
bool is_wanted(const Redirect& redirect, const Jail& jail, bool is_v4) {
  return (is_v4 ? redirect.inet : redirect.inet6).value_or(address_of(jail, is_v4).has_value());
}

bool covers(const TunnelPeer& peer, const Prefix& clients) {
  return std::ranges::any_of(peer.allowed_ips, [&](const Prefix& allowed) {
    return allowed.length <= clients.length && allowed.ip.is_v4() == clients.ip.is_v4() && allowed.contains(clients.ip);
  });
}

std::vector<Prefix> clients_of(const Redirect& redirect, bool is_v4) {
  std::vector<Prefix> clients;
  for (const auto& [prefix, excluded] : redirect.from) {
    if (!excluded && prefix.ip.is_v4() == is_v4) clients.push_back(prefix);
  }
  if (redirect.from.empty()) clients.push_back(*Prefix::parse(is_v4 ? "0.0.0.0/0" : "::/0"));
  return clients;
}

/// Clients' own addresses only come through a tunnel whose peer may have them, and answers need to know where to.
void check_keep(const Redirect& redirect, const Tunnel& tunnel, bool is_v4, Problems& problems) {
  const auto is_of_version = [&](const auto& gateway) { return gateway.value.is_v4() == is_v4; };
  if (!std::ranges::any_of(tunnel.gateway, is_of_version)) {
    problems.add(redirect.place,
                 std::string("source = \"keep\" needs the tunnel to name its other end for answers: an ") +
                     version_of(is_v4) + " address as gateway, " + config::line_of(tunnel.place));
  }
  for (const Prefix& clients : clients_of(redirect, is_v4)) {
    const auto covers_them = [&](const TunnelPeer& peer) { return covers(peer, clients); };
    if (std::ranges::any_of(tunnel.peers, covers_them)) continue;
    problems.add(redirect.place, "source = \"keep\" needs " + clients.to_string() +
                                     " among the allowed_ips of the tunnel's peer, " + config::line_of(tunnel.place));
  }
}

/// A VNET jail is reached over a bridge on which the machine has an address, too.
bool is_reachable(const HomeConfig& config, const Jail& jail, const Ip& to) {
  for (const JailInterface& interface : jail.interfaces) {
    const auto is_it = [&](const auto& address) { return address.value.ip == to; };
    if (!std::ranges::any_of(interface.addresses, is_it)) continue;
    const Bridge* bridge = find_bridge(config, interface.bridge);
    const auto is_of_version = [&](const auto& address) { return address.value.ip.is_v4() == to.is_v4(); };
    return bridge == nullptr || std::ranges::any_of(bridge->addresses, is_of_version);
  }
  return true;
}

void check_families(const HomeConfig& config, const Redirect& redirect, const Jail& jail, Problems& problems) {
  for (const bool is_v4 : {true, false}) {
    if (!is_wanted(redirect, jail, is_v4)) continue;
    if (!address_of(jail, is_v4)) {
      problems.add(redirect.place, "jail " + in_quotes(jail.name) + " has no " + version_of(is_v4) + " address, " +
                                       config::line_of(jail.place));
      continue;
    }
    const Ip to = *address_of(jail, is_v4);
    if (!is_reachable(config, jail, to)) {
      problems.add(redirect.place, "the machine has no " + std::string(version_of(is_v4)) +
                                       " address on the bridge of " + to.to_string() +
                                       ", so it cannot send anything there");
    }
    if (!redirect.keep || !redirect.on_tunnel) continue;
    for (const Tunnel* tunnel : host_tunnels(config)) check_keep(redirect, *tunnel, is_v4, problems);
  }
}

void check_redirect(const HomeConfig& config, const Redirect& redirect, Problems& problems) {
  const bool has_tunnel = !host_tunnels(config).empty();
  if (!has_tunnel && redirect.on_tunnel && !redirect.on_egress) {
    problems.add(redirect.place, "there is no [[tunnel]] on the machine itself for on = \"tunnel\"");
  }
  if (redirect.keep && (!has_tunnel || !redirect.on_tunnel)) {
    problems.add(redirect.place, "source = \"keep\" is about answers into a tunnel, through which this does not come");
  }
  if (redirect.jail.empty()) return;
  const Jail* jail = find_jail(config, redirect.jail);
  if (jail != nullptr) {
    check_families(config, redirect, *jail, problems);
    return;
  }
  std::vector<std::string> names;
  for (const Jail& each : config.jails) names.push_back(each.name);
  problems.add(redirect.jail_place,
               "there is no [[jail]] " + in_quotes(redirect.jail) + config::suggestion(redirect.jail, names));
}

/// Who has a port of one protocol on one side of the machine.
struct Claim {
  const PortList* ports;
  std::string who;
  Place place;
  bool v4 = true;
  bool v6 = true;
};
struct Side {
  const char* name;
  const char* protocol;
  std::vector<Claim> claims;
};

std::optional<uint16_t> shared_port(const PortList& a, const PortList& b) {
  for (const PortRange& x : a) {
    for (const PortRange& y : b) {
      if (x.first <= y.last && y.first <= x.last) return std::max(x.first, y.first);
    }
  }
  return {};
}

void claim(Side& side, const Claim& wanted, Problems& problems) {
  if (wanted.ports->empty()) return;
  for (const Claim& earlier : side.claims) {
    const auto port = shared_port(*earlier.ports, *wanted.ports);
    const bool share_version = (earlier.v4 && wanted.v4) || (earlier.v6 && wanted.v6);
    if (!port || !share_version) continue;
    problems.add(wanted.place, std::string(side.protocol) + " port " + std::to_string(*port) + " on the " + side.name +
                                   ": " + wanted.who + " has it, but so has " + earlier.who + ", " +
                                   config::line_of(earlier.place));
    break;
  }
  side.claims.push_back(wanted);
}

std::string name_of(const Redirect& redirect) {
  return redirect.name.empty() ? "a redirect" : "redirect " + in_quotes(redirect.name);
}

void check_side(const HomeConfig& config, bool is_egress, bool is_tcp, Problems& problems) {
  Side side = {is_egress ? "egress" : "tunnel", is_tcp ? "tcp" : "udp", {}};
  // Alive as long as the claims that point at them.
  std::vector<PortList> own;
  own.reserve(config.tunnels.size());
  for (const Tunnel* tunnel : host_tunnels(config)) {
    if (tunnel->listen_port == 0 || is_tcp || !is_egress) continue;
    own.push_back({{tunnel->listen_port, tunnel->listen_port}});
    claim(side, {&own.back(), "tunnel " + in_quotes(tunnel->name), tunnel->listen_port_place}, problems);
  }
  const Host host = config.host.value_or(Host{});
  PortList offered = is_tcp ? host.private_tcp : host.private_udp;
  const PortList& to_all = is_tcp ? host.internet_tcp : host.internet_udp;
  if (is_egress) offered.insert(offered.end(), to_all.begin(), to_all.end());
  claim(side, {&offered, "[host]", host.place}, problems);
  for (const Redirect& redirect : config.redirects) {
    if (!(is_egress ? redirect.on_egress : redirect.on_tunnel) || !(is_tcp ? redirect.tcp : redirect.udp)) continue;
    const bool v4 = redirect.inet.value_or(true);
    const bool v6 = redirect.inet6.value_or(true);
    claim(side, {&redirect.ports, name_of(redirect), redirect.place, v4, v6}, problems);
  }
}

}  // namespace

void check_redirects(const HomeConfig& config, Problems& problems) {
  for (const Redirect& redirect : config.redirects) check_redirect(config, redirect, problems);
}

void check_ports(const HomeConfig& config, Problems& problems) {
  for (const bool is_tcp : {true, false}) {
    check_side(config, true, is_tcp, problems);
    if (!host_tunnels(config).empty()) check_side(config, false, is_tcp, problems);
  }
}

}  // namespace adit::home
