#include "home/steps.h"

#include <algorithm>

#include "home/jail.h"
#include "home/pf.h"
#include "home/quote.h"
#include "home/rc.h"
#include "home/tunnel.h"

namespace adit::home {
namespace {

using Commands = std::vector<Command>;

/// For what sh must decide; its text is of words from home/words.h's narrow alphabets.
Command shell(const std::string& text, const std::string& why) { return {{"/bin/sh", "-c", text}, why}; }

std::string staged(const std::string& path) { return "{" + path + "}"; }

void add_pf_checks(Commands& checks) {
  checks.push_back({{"pfctl", "-n", "-a", "adit/home", "-f", staged(pf_file())}, "are the rules right?"});
  // pfctl -n reads what "load anchor" names, too, which is not in place yet.
  checks.push_back({{"/bin/sh", "-c", "sed \"s|" + pf_file() + "|$2|\" \"$1\" | pfctl -n -f -", "sh",
                     staged("/etc/pf.conf"), staged(pf_file())},
                    "is pf.conf right with our lines in it?"});
}

void add_checks(Commands& checks, const HomeConfig& config) {
  for (const Tunnel& tunnel : config.tunnels) {
    checks.push_back({{"test", "-s", on_machine(config, tunnel, tunnel.private_key_file)},
                      "the tunnel " + tunnel.name + " needs its private key (adit genkey makes one)"});
    for (const TunnelPeer& peer : tunnel.peers) {
      if (peer.preshared_key_file.empty()) continue;
      checks.push_back({{"test", "-s", on_machine(config, tunnel, peer.preshared_key_file)},
                        "the tunnel " + tunnel.name + " needs the key it shares with its peer"});
    }
  }
  for (const Jail& jail : config.jails) {
    checks.push_back({{"test", "-d", jail.path}, "the jail " + jail.name + " needs its directory"});
  }
  if (needs_pf(config)) add_pf_checks(checks);
  for (const Jail& jail : config.jails) {
    if (!pf_jail_rules(config, jail).empty()) {
      checks.push_back({{"pfctl", "-n", "-a", anchor_of(jail), "-f", staged(pf_file_of(jail))},
                        "are the redirects to " + jail.name + " right?"});
    }
    checks.push_back({{"jail", "-f", staged(jail_file_of(jail)), "-e", ","}, "is the jail " + jail.name + " right?"});
  }
}

/// Not by rc.d/netif, which would then look for the bridge under the name it no longer has.
Command make_bridge(const Bridge& bridge) {
  const std::string rename = bridge.clone == bridge.name ? "" : " name " + bridge.name;
  return shell("ifconfig -n " + bridge.name + " >/dev/null 2>&1 || ifconfig -n " + bridge.clone + " create" + rename,
               "make the bridge " + bridge.name);
}

void start_bridges(Commands& start, const HomeConfig& config) {
  for (const Bridge& bridge : config.bridges) {
    start.push_back(make_bridge(bridge));
    start.push_back({{"service", "netif", "start", bridge.name}, "as rc.conf says"});
  }
}

Command make_loopback(const std::string& name) {
  return shell("ifconfig -n " + name + " >/dev/null 2>&1 || service netif start " + name,
               "make " + name + ", where the jails' addresses are");
}

void start_network(Commands& start, const HomeConfig& config) {
  for (const std::string& name : cloned_loopbacks(config)) {
    start.push_back(make_loopback(name));
  }
  start_bridges(start, config);
  const std::string why = "forward packets between the bridges and the outside";
  if (forwards(config, true)) start.push_back({{"sysctl", "net.inet.ip.forwarding=1"}, why});
  if (forwards(config, false)) start.push_back({{"sysctl", "net.inet6.ip6.forwarding=1"}, why});
}

/// Before there is anything to reach.
void start_pf(Commands& start) {
  start.push_back(shell("pfctl -q -s Running >/dev/null 2>&1 || service pf start", "pf filters from now on"));
  start.push_back({{"service", "pf", "reload"}, "with our rules, and every state kept"});
}

void start_tunnels(Commands& start, const HomeConfig& config) {
  for (const Tunnel* tunnel : host_tunnels(config)) {
    const bool is_wg = tunnel->via == Via::kIfWg;
    start.push_back({{"service", is_wg ? "wireguard" : "adit", "restart", is_wg ? tunnel->name : profile_of(*tunnel)},
                     "bring the tunnel " + tunnel->name + " up"});
  }
}

/// rc.d/jail does not say by its exit code whether the jail runs.
Command start_jail(const Jail& jail) {
  const std::string runs = "jls -j " + jail.name + " >/dev/null";
  return shell(runs + " 2>&1 || (service jail start " + jail.name + "; " + runs + ")",
               "start " + jail.name + ", unless it runs");
}

Command renew_redirects(const Jail& jail) {
  return shell("! jls -j " + jail.name + " >/dev/null 2>&1 || pfctl -a " + anchor_of(jail) + " -f " + pf_file_of(jail),
               "if " + jail.name + " runs already, its redirects are these from now on");
}

/// A jail that runs already is left alone, but for its redirects.
void start_jails(Commands& start, const HomeConfig& config) {
  for (const Jail& jail : config.jails) {
    if (!pf_jail_rules(config, jail).empty()) start.push_back(renew_redirects(jail));
    start.push_back(start_jail(jail));
  }
}

void add_start(Commands& start, const HomeConfig& config) {
  if (std::ranges::any_of(config.jails, &Jail::linux)) {
    start.push_back({{"service", "linux", "start"}, "Linux programs, and the file systems they expect"});
  }
  if (!devfs_rules_text(config).empty()) {
    start.push_back({{"service", "devfs", "restart"}, "rules for a jail's own tun"});
  }
  start_network(start, config);
  if (needs_pf(config)) start_pf(start);
  start_tunnels(start, config);
  start_jails(start, config);
}

/// What is done to an interface that is there, and left out when it is not.
Command destroy(const std::string& name) {
  return shell("! ifconfig -n " + name + " >/dev/null 2>&1 || ifconfig -n " + name + " destroy",
               "take " + name + " away");
}

Command stop_tunnel(const Tunnel& tunnel) {
  const bool is_wg = tunnel.via == Via::kIfWg;
  const std::string service = is_wg ? "wireguard stop " + tunnel.name : "adit stop " + profile_of(tunnel);
  return shell("! ifconfig -n " + tunnel.name + " >/dev/null 2>&1 || service " + service,
               "take the tunnel " + tunnel.name + " down");
}

Command flush(const std::string& anchor, const std::string& kind) {
  return shell("test ! -c /dev/pf || pfctl -a " + anchor + " -F " + kind, "take our rules out of pf");
}

void add_stop(Commands& stop, const HomeConfig& config) {
  for (auto jail = config.jails.rbegin(); jail != config.jails.rend(); ++jail) {
    stop.push_back({{"service", "jail", "stop", jail->name}, "stop " + jail->name + ", if it runs"});
  }
  for (const Tunnel* tunnel : host_tunnels(config)) stop.push_back(stop_tunnel(*tunnel));
  for (const char* kind : {"nat", "rules", "Tables"}) {
    if (!needs_pf(config)) break;
    stop.push_back(flush("adit/home", kind));
  }
  for (const Bridge& bridge : config.bridges) stop.push_back(destroy(bridge.name));
  for (const std::string& name : cloned_loopbacks(config)) stop.push_back(destroy(name));
}

}  // namespace

void add_steps(Plan& plan, const HomeConfig& config) {
  add_checks(plan.checks, config);
  add_start(plan.start, config);
  add_stop(plan.stop, config);
}

}  // namespace adit::home
