#include "home/jail.h"

#include <algorithm>

#include "home/home.h"
#include "home/pf.h"
#include "home/quote.h"
#include "home/tunnel.h"

namespace adit::home {
namespace {

/// A jail's parameters, one a line; a list's first item is set and the others are added.
class Parameters {
 public:
  void flag(const std::string& name) { text_ += "  " + name + ";\n"; }
  void set(const std::string& name, const std::string& value) { line(name, "=", value); }
  void add(const std::string& name, const std::string& value) {
    const bool is_first = text_.find("  " + name + " ") == text_.npos;
    line(name, is_first ? "=" : "+=", value);
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void line(const std::string& name, const char* sign, const std::string& value) {
    text_ += "  " + name + " " + sign + " " + jail_quoted(value) + ";\n";
  }
  std::string text_;
};

/// jail(8) itself makes the aliases of "lo1|127.0.1.1/32", and takes them away again.
void add_addresses(Parameters& parameters, const Jail& jail) {
  for (const auto& address : jail.addresses) {
    const std::string name = address.value.is_v4() ? "ip4.addr" : "ip6.addr";
    const std::string text =
        jail.loopback + "|" + address.value.to_string() + "/" + std::to_string(address.value.bits());
    parameters.add(name, text);
  }
}

/// What an earlier start left behind would be in the way.
void remove_left_behind(Parameters& parameters, const std::string& outer) {
  parameters.add("exec.prestart", "! ifconfig -n " + outer + " >/dev/null 2>&1 || ifconfig -n " + outer + " destroy");
}

void add_epair(Parameters& parameters, const JailInterface& interface) {
  const std::string& outer = interface.outer_name;
  parameters.add("exec.prestart", "pair=$(ifconfig epair create) && ifconfig -n \"$pair\" name " + outer +
                                      " && ifconfig -n \"${pair%a}b\" name " + interface.name);
  parameters.add("exec.prestart", "ifconfig -n " + interface.bridge + " addm " + outer);
  parameters.add("exec.prestart", "ifconfig -n " + outer + " up");
}

void add_interfaces(Parameters& parameters, const Jail& jail) {
  constexpr const char* kJib = "/bin/sh /usr/share/examples/jails/jib ";
  for (const JailInterface& interface : jail.interfaces) remove_left_behind(parameters, interface.outer_name);
  if (!jail.jib.empty()) parameters.add("exec.prestart", kJib + ("addm " + jail.name + " " + jail.jib));
  for (const JailInterface& interface : jail.interfaces) {
    parameters.add("vnet.interface", interface.name);
    if (jail.jib.empty()) add_epair(parameters, interface);
  }
  if (!jail.jib.empty()) parameters.add("exec.poststop", kJib + ("destroy " + jail.name));
  if (!jail.jib.empty()) return;
  for (const JailInterface& interface : jail.interfaces) {
    parameters.add("exec.poststop", "ifconfig -n " + interface.outer_name + " destroy");
  }
}

void add_redirects(Parameters& parameters, const HomeConfig& config, const Jail& jail) {
  if (pf_jail_rules(config, jail).empty()) return;
  parameters.add("exec.prestart", "pfctl -a " + anchor_of(jail) + " -f " + pf_file_of(jail));
  for (const std::string& kind : flushes_of(config, jail)) {
    parameters.add("exec.poststop", "pfctl -a " + anchor_of(jail) + " -F " + kind);
  }
}

const char* ifconfig_family(const Ip& ip) { return ip.is_v4() ? "inet" : "inet6"; }

/// The network of a jail whose own /etc/rc does not run.
void add_network_commands(Parameters& parameters, const Jail& jail) {
  if (jail.kind != JailKind::kVnet) return;
  parameters.add("exec.start", "ifconfig lo0 inet 127.0.0.1/8 up");
  for (const JailInterface& interface : jail.interfaces) {
    for (const auto& address : interface.addresses) {
      parameters.add("exec.start", "ifconfig " + interface.name + " " + ifconfig_family(address.value.ip) + " " +
                                       address.value.to_string() + " alias up");
    }
    if (interface.addresses.empty()) parameters.add("exec.start", "ifconfig " + interface.name + " up");
  }
  if (jail.is_gateway) parameters.add("exec.start", "sysctl net.inet.ip.forwarding=1 net.inet6.ip6.forwarding=1");
  for (const auto& router : jail.default_routers) {
    const std::string version = router.value.is_v4() ? "-inet" : "-inet6";
    parameters.add("exec.start", "route -n add " + version + " default " + router.value.to_string());
  }
}

/// A command as its user runs it, and without waiting for the last.
std::string as_user(const Jail& jail, const std::string& command, bool is_last) {
  std::string text = command;
  const char* su = jail.linux ? "/bin/su - " : "/usr/bin/su -l ";
  if (!jail.user.empty()) text = su + jail.user + " -c " + sh_quoted(command);
  if (is_last && jail.background) text += " &";
  return text;
}

void add_start(Parameters& parameters, const HomeConfig& config, const Jail& jail) {
  if (jail.runs_rc) {
    parameters.add("exec.start", "/bin/sh /etc/rc");
  } else {
    add_network_commands(parameters, jail);
    for (const Tunnel& tunnel : config.tunnels) {
      if (tunnel.jail == jail.name) parameters.add("exec.start", daemon_command(tunnel));
    }
  }
  for (size_t i = 0; i < jail.start.size(); ++i) {
    parameters.add("exec.start", as_user(jail, jail.start[i], i + 1 == jail.start.size()));
  }
  if (jail.runs_rc && jail.stop.empty()) parameters.add("exec.stop", "/bin/sh /etc/rc.shutdown jail");
  for (const std::string& command : jail.stop) parameters.add("exec.stop", command);
}

}  // namespace

bool has_own_tun(const HomeConfig& config, const Jail& jail) {
  return std::ranges::any_of(
      config.tunnels, [&](const Tunnel& tunnel) { return tunnel.jail == jail.name && tunnel.via == Via::kAdit; });
}

bool needs_tun_ruleset(const HomeConfig& config, const Jail& jail) { return jail.devfs && has_own_tun(config, jail); }

std::string jail_file_of(const Jail& jail) { return "/etc/jail.conf.d/" + jail.name + ".conf"; }

std::string jail_text(const HomeConfig& config, const Jail& jail) {
  Parameters parameters;
  parameters.set("host.hostname", jail.hostname);
  parameters.set("path", jail.path);
  parameters.flag("persist");  // else its last process takes it away, and nothing runs exec.poststop
  parameters.flag("exec.clean");
  parameters.set("exec.system_user", "root");
  parameters.set("exec.jail_user", "root");
  parameters.set("exec.consolelog", "/var/log/jail_" + jail.name + "_console.log");
  if (jail.devfs) parameters.flag("mount.devfs");
  if (needs_tun_ruleset(config, jail)) parameters.set("devfs_ruleset", std::to_string(kTunRuleset));
  if (jail.linux) parameters.set("mount.fstab", fstab_file_of(jail));
  if (jail.kind == JailKind::kVnet) parameters.flag("vnet");
  add_addresses(parameters, jail);
  add_interfaces(parameters, jail);
  add_redirects(parameters, config, jail);
  add_start(parameters, config, jail);
  return "# Written by adit home.\n" + in_double_quotes(jail.name) + " {\n" + parameters.text() + "}\n";
}

std::string fstab_file_of(const Jail& jail) { return std::string(kDirectory) + "/" + jail.name + ".fstab"; }

std::string fstab_text(const Jail& jail) {
  if (!jail.linux) return {};
  return "# Written by adit home.\n"
         "linprocfs " +
         jail.path +
         "/proc linprocfs rw 0 0\n"
         "linsysfs " +
         jail.path + "/sys linsysfs rw 0 0\n";
}

}  // namespace adit::home
