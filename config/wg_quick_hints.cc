#include "config/wg_quick_hints.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "config/values.h"

namespace adit::config {
namespace {

/// A hook that has one of these words is probably about this.
struct Hint {
  std::initializer_list<std::string_view> words;
  std::string_view advice;
};

const std::array kHints = {
    Hint{{"dnat", "rdr", "redirect"},
         "a port that leads to a service behind the tunnel is a [[forward]]: listen = \"0.0.0.0:PORT\", to = "
         "\"ADDRESS:PORT\"; then this line must go, as it would take the packets first"},
    Hint{{"private-key"}, "private_key_file = \"FILE\" in [interface], which only its owner may read"},
    Hint{{"preshared-key"}, "preshared_key_file = \"FILE\" in [[peer]], which only its owner may read"},
    Hint{{"masquerade", "snat", "nat "},
         "a [[forward]] needs no such rule; for peers that go out to the internet through this machine, keep it where "
         "the firewall's own rules are"},
    Hint{{"forward"},
         "a [[forward]] needs neither rule nor IP forwarding; for peers that reach other networks through this "
         "machine, keep it where the firewall's or the system's own settings are"},
    Hint{{"ip route", "ip -4 route", "ip -6 route", "ip rule", "ip -4 rule", "ip -6 rule", "route add"},
         "allowed_ips and table say which routes adit sets; others belong to the system's own network settings"},
    Hint{{"resolvectl", "resolvconf"}, "adit leaves name servers alone: let what starts adit run it"},
};

/// systemd's setting that runs a command at the same time.
std::string_view unit_setting(std::string_view hook) {
  if (hook == "preup") return "ExecStartPre=";
  if (hook == "postup") return "ExecStartPost=";
  if (hook == "predown") return "ExecStop=";
  return "ExecStopPost=";
}

}  // namespace

std::string advice_on(std::string_view key, std::string_view value) {
  if (key == "dns")
    return "adit leaves name servers alone: set them where this system's own are (resolvectl, resolv.conf)";
  if (key == "saveconfig") return "adit never writes its configuration: what `wg set` changes lasts until it stops";
  const std::string text = lower_case(value);
  for (const Hint& hint : kHints) {
    const auto has = [&](std::string_view word) { return text.find(word) != text.npos; };
    if (std::ranges::any_of(hint.words, has)) return std::string(hint.advice);
  }
  return "adit runs no commands: let what starts it do so (" + std::string(unit_setting(key)) + " of a systemd unit)";
}

}  // namespace adit::config
