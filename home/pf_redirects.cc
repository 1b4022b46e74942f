// The redirects of a jail: its anchor of pf.
#include <algorithm>

#include "home/home.h"
#include "home/pf.h"
#include "home/pf_words.h"
#include "home/quote.h"

namespace adit::home {
namespace {

/// One redirect at one IP version.
struct Rule {
  const Redirect& redirect;
  bool is_v4;
  Ip to;
  std::string from;  // "any" or a table
};

std::string inside_ports(const Redirect& redirect) {
  if (redirect.inside_port == 0) return {};
  std::string port = " port " + std::to_string(redirect.inside_port);
  if (redirect.ports[0].size() > 1) port += ":*";
  return port;
}

/// The ports that the service sees.
PortList service_ports(const Redirect& redirect) {
  if (redirect.inside_port == 0) return redirect.ports;
  const auto last = static_cast<uint16_t>(redirect.inside_port + redirect.ports[0].size() - 1);
  return {{redirect.inside_port, last}};
}

std::string family_and_protocol(const Rule& rule) {
  std::string text = rule.is_v4 ? " inet proto " : " inet6 proto ";
  if (rule.redirect.tcp && rule.redirect.udp) return text + "{ tcp, udp }";
  return text + (rule.redirect.tcp ? "tcp" : "udp");
}

/// The address is that of the interface itself, not just any that passes by on its way to somebody else.
std::string rdr(const Rule& rule, const char* action, const std::string& interface) {
  return action + (" on " + in_double_quotes(interface)) + family_and_protocol(rule) + " from " + rule.from + " to (" +
         in_double_quotes(interface) + ") port " + pf_ports(rule.redirect.ports) + " -> " + rule.to.to_string() +
         inside_ports(rule.redirect) + "\n";
}

/// Answers to clients that are somewhere in the internet would leave by the default route, past the tunnel.
std::string reply_to(const Rule& rule, const Tunnel& tunnel) {
  const auto gateway =
      std::ranges::find_if(tunnel.gateway, [&](const auto& each) { return each.value.is_v4() == rule.is_v4; });
  if (gateway == tunnel.gateway.end()) return {};
  return "pass in on " + in_double_quotes(tunnel.name) + " reply-to (" + in_double_quotes(tunnel.name) + " " +
         gateway->value.to_string() + ")" + family_and_protocol(rule) + " from " + rule.from + " to " +
         rule.to.to_string() + " port " + pf_ports(service_ports(rule.redirect)) + "\n";
}

bool wants(const Redirect& redirect, bool is_v4) { return (is_v4 ? redirect.inet : redirect.inet6).value_or(true); }

std::vector<Rule> rules_of(const HomeConfig& config, const Jail& jail) {
  std::vector<Rule> rules;
  size_t lists = 0;
  for (const Redirect& redirect : config.redirects) {
    if (redirect.jail != jail.name) continue;
    std::string from = "any";
    if (!redirect.from_table.empty()) from = "<" + redirect.from_table + ">";
    if (!redirect.from.empty()) from = "<from_" + std::to_string(++lists) + ">";
    for (const bool is_v4 : {true, false}) {
      const auto to = address_of(jail, is_v4);
      if (to && wants(redirect, is_v4)) rules.push_back({redirect, is_v4, *to, from});
    }
  }
  return rules;
}

std::string tables_of(const HomeConfig& config, const Jail& jail) {
  std::string text;
  bool has_internet = false;
  bool has_private = false;
  size_t lists = 0;
  for (const Redirect& redirect : config.redirects) {
    if (redirect.jail != jail.name) continue;
    has_internet = has_internet || redirect.from_table == "internet";
    has_private = has_private || redirect.from_table == "private";
    if (!redirect.from.empty()) text += pf_table("from_" + std::to_string(++lists), redirect.from);
  }
  if (has_private) text = pf_private_table() + text;
  if (has_internet) text = pf_internet_table() + text;
  return text;
}

bool keeps_sources(const HomeConfig& config, const Jail& jail) {
  return std::ranges::any_of(config.redirects,
                             [&](const Redirect& redirect) { return redirect.jail == jail.name && redirect.keep; });
}

}  // namespace

std::string pf_file_of(const Jail& jail) { return std::string(kDirectory) + "/jail-" + jail.name + ".pf.conf"; }

std::string anchor_of(const Jail& jail) { return "adit/jail-" + jail.name; }

std::vector<std::string> flushes_of(const HomeConfig& config, const Jail& jail) {
  std::vector<std::string> kinds = {"nat"};  // rdr rules are of this kind, too
  if (keeps_sources(config, jail)) kinds.emplace_back("rules");
  if (!tables_of(config, jail).empty()) kinds.emplace_back("Tables");
  return kinds;
}

std::string pf_jail_rules(const HomeConfig& config, const Jail& jail) {
  const auto rules = rules_of(config, jail);
  if (rules.empty()) return {};
  const auto tunnels = host_tunnels(config);
  std::string translation;
  std::string filter;
  for (const Rule& rule : rules) {
    if (rule.redirect.on_egress) translation += rdr(rule, "rdr pass", config.egress);
    if (!rule.redirect.on_tunnel) continue;
    for (const Tunnel* tunnel : tunnels) {
      // "rdr pass" would leave no rule to say reply-to.
      translation += rdr(rule, rule.redirect.keep ? "rdr" : "rdr pass", tunnel->name);
      if (rule.redirect.keep) filter += reply_to(rule, *tunnel);
    }
  }
  if (translation.empty()) return {};
  const std::string head =
      "# Written by adit home, loaded into the anchor " + anchor_of(jail) + " when the jail starts.\n";
  return head + tables_of(config, jail) + translation + filter;
}

}  // namespace adit::home
