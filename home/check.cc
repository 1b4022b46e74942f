#include "home/check.h"

#include <algorithm>
#include <set>

#include "config/nearest.h"
#include "home/tunnel.h"

namespace adit::home {
namespace {

using config::in_quotes;
using config::Problems;

void check_names(const HomeConfig& config, Problems& problems) {
  Taken<std::string> jails;
  Taken<std::string> redirects;
  Taken<std::string> paths;
  for (const Jail& jail : config.jails) {
    if (!jail.path.empty() && jail.path != "/") paths.take(jail.path, jail.place, "the path " + jail.path, problems);
    if (!jail.name.empty()) jails.take(jail.name, jail.place, "a jail " + in_quotes(jail.name), problems);
  }
  for (const Redirect& redirect : config.redirects) {
    if (redirect.name.empty()) continue;
    redirects.take(redirect.name, redirect.place, "a redirect " + in_quotes(redirect.name), problems);
  }
}

/// Interfaces of jails are made on the host, so their names must be free there too.
void check_host_interfaces(const HomeConfig& config, Problems& problems) {
  Taken<std::string> taken;
  const auto take = [&](const std::string& name, Place place) {
    if (!name.empty()) taken.take(name, place, "an interface " + in_quotes(name), problems);
  };
  for (const Tunnel* tunnel : host_tunnels(config)) take(tunnel->name, tunnel->place);
  for (const Bridge& bridge : config.bridges) {
    take(bridge.name, bridge.place);
    if (bridge.clone != bridge.name) take(bridge.clone, bridge.place);
  }
  for (const Jail& jail : config.jails) {
    for (const JailInterface& interface : jail.interfaces) {
      if (jail.name.empty()) continue;
      take(interface.name, interface.place);
      take(interface.outer_name, interface.place);
    }
  }
  std::set<std::string> loopbacks;
  for (const Jail& jail : config.jails) {
    if (jail.kind == JailKind::kLoopback && loopbacks.insert(jail.loopback).second) take(jail.loopback, jail.place);
  }
  take(config.egress, config.host ? config.host->place : Place{1, 1});
}

/// rc.conf and ifconfig's cloner know a loopback by its number.
void check_loopback(const Jail& jail, Problems& problems) {
  if (jail.kind != JailKind::kLoopback || jail.loopback.empty()) return;
  const std::string_view number = std::string_view(jail.loopback).substr(std::min<size_t>(2, jail.loopback.size()));
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (jail.loopback.starts_with("lo") && !number.empty() && std::ranges::all_of(number, is_digit)) return;
  problems.add(jail.place, "interface must be a loopback interface like \"lo1\", not " + in_quotes(jail.loopback));
}

std::vector<std::string> names_of_jails(const HomeConfig& config) {
  std::vector<std::string> names;
  for (const Jail& jail : config.jails) names.push_back(jail.name);
  return names;
}

void check_tunnel_jail(const HomeConfig& config, const Tunnel& tunnel, Problems& problems) {
  if (tunnel.jail.empty()) return;
  const Jail* jail = find_jail(config, tunnel.jail);
  if (jail == nullptr) {
    const auto names = names_of_jails(config);
    problems.add(tunnel.place,
                 "there is no [[jail]] " + in_quotes(tunnel.jail) + config::suggestion(tunnel.jail, names));
    return;
  }
  if (jail->kind != JailKind::kVnet) {
    problems.add(tunnel.place, "a tunnel in jail " + in_quotes(tunnel.jail) + " needs kind = \"vnet\", " +
                                   config::line_of(jail->place));
  }
  if (tunnel.via == Via::kIfWg && !jail->runs_rc) {
    problems.add(tunnel.place, "via = \"if_wg\" needs a jail whose own /etc/rc runs: start is given in " +
                                   config::line_of(jail->place));
  }
}

/// What adit and wg-quick cannot do with table = "off", which a route to everywhere needs (home/tunnel.cc).
void check_tunnel_routes(const Tunnel& tunnel, Problems& problems) {
  const auto is_everywhere = [](const Prefix& prefix) { return prefix.length == 0; };
  bool leads_everywhere = false;
  for (const TunnelPeer& peer : tunnel.peers) {
    leads_everywhere = leads_everywhere || std::ranges::any_of(peer.allowed_ips, is_everywhere);
  }
  if (!leads_everywhere || tunnel.via == Via::kIfWg) return;
  for (const TunnelPeer& peer : tunnel.peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      const auto holds_it = [&](const auto& address) {
        return prefix.length >= address.value.prefix_length &&
               Prefix::of(address.value.ip, address.value.prefix_length).contains(prefix.ip);
      };
      if (prefix.length == 0 || std::ranges::any_of(tunnel.addresses, holds_it)) continue;
      problems.add(peer.place,
                   "with a route to everywhere among allowed_ips, adit adds no routes, and no address of the "
                   "tunnel is in " +
                       prefix.to_string() + ": widen one, or take via = \"if_wg\"");
    }
  }
}

void check_tunnels(const HomeConfig& config, Problems& problems) {
  Taken<std::pair<std::string, std::string>> taken;
  Taken<std::string> by_adit;
  Taken<std::string> files;
  for (const Tunnel& tunnel : config.tunnels) {
    check_tunnel_jail(config, tunnel, problems);
    check_tunnel_routes(tunnel, problems);
    const std::string file = tunnel_file_of(config, tunnel);
    files.take(file, tunnel.place, "a tunnel whose configuration is " + file, problems);
    if (tunnel.jail.empty()) continue;
    const std::string of_jail = " of jail " + in_quotes(tunnel.jail);
    taken.take({tunnel.jail, tunnel.name}, tunnel.place, "a tunnel " + in_quotes(tunnel.name) + of_jail, problems);
    if (tunnel.via == Via::kAdit) by_adit.take(tunnel.jail, tunnel.place, "a tunnel by adit" + of_jail, problems);
    const Jail* jail = find_jail(config, tunnel.jail);
    if (jail == nullptr) continue;
    for (const JailInterface& interface : jail->interfaces) {
      if (interface.name != tunnel.name) continue;
      problems.add(tunnel.place, "the interface " + in_quotes(tunnel.name) + of_jail + " is already in " +
                                     config::line_of(interface.place));
    }
  }
}

void check_jail(const Jail& jail, Problems& problems) {
  check_loopback(jail, problems);
  if (jail.path == "/" && jail.devfs) {
    problems.add(jail.place, "devfs would cover the machine's own /dev: leave out devfs = true with path = \"/\"");
  }
  if (jail.path == "/" && jail.runs_rc) {
    problems.add(jail.place,
                 "the machine's own /etc/rc must not run in a jail: path = \"/\" needs start, which may be []");
  }
  if (jail.path == "/" && jail.linux) problems.add(jail.place, "linux needs a path of its own");
  if (!jail.runs_rc && !jail.rc.empty()) {
    problems.add(jail.place, "[jail.rc] is read by the jail's own /etc/rc, which does not run when start is given");
  }
  if (jail.start.empty() && (jail.background || !jail.user.empty()) && !jail.runs_rc) {
    problems.add(jail.place, "user and background say how start is run, which is empty");
  }
}

void check_jails(const HomeConfig& config, Problems& problems) {
  for (const Jail& jail : config.jails) {
    check_jail(jail, problems);
    if (jail.jib.empty()) continue;
    const std::string wanted = jail.jib + "bridge";
    for (const JailInterface& interface : jail.interfaces) {
      if (interface.bridge.empty() || interface.bridge == wanted) continue;
      problems.add(interface.place, "jib joins the bridge " + in_quotes(wanted) + " of " + in_quotes(jail.jib) +
                                        ", not " + in_quotes(interface.bridge));
    }
    if (jail.interfaces.size() > 1) problems.add(jail.place, "jib makes one interface: leave it out for several");
    if (jail.interfaces.size() == 1 && jail.interfaces[0].name != "e0b_" + jail.name && !jail.name.empty()) {
      problems.add(jail.interfaces[0].place, "jib calls the interface " + in_quotes("e0b_" + jail.name));
    }
  }
}

}  // namespace

void check(const HomeConfig& config, Problems& problems) {
  check_names(config, problems);
  check_host_interfaces(config, problems);
  check_tunnels(config, problems);
  check_jails(config, problems);
  check_networks(config, problems);
  check_redirects(config, problems);
  check_ports(config, problems);
}

}  // namespace adit::home
