// What is behind a tunnel that stands: whether anything comes back, how large it may be, and whether the service is
// there.

#include <algorithm>
#include <array>
#include <cstdio>

#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/gateway_state.h"
#include "daemon/doctor/words.h"

namespace adit::doctor {
namespace {

using Outcome = ServiceProbe::Outcome;

bool players_are_answered(const Facts& facts, size_t forward) {
  return facts.after->forwards[forward].bytes_out > facts.before->forwards[forward].bytes_out;
}

bool is_of(const PingProbe& ping, size_t peer) { return ping.peer == peer && ping.error == 0; }

/// A sign of life from behind the tunnel, a refusal too.
bool anything_came_back(const Facts& facts, size_t peer) {
  if (std::ranges::any_of(facts.pings, [&](const auto& ping) { return is_of(ping, peer) && ping.answered; }))
    return true;
  return std::ranges::any_of(facts.services, [&](const ServiceProbe& probe) {
    const bool has_answered = probe.outcome == Outcome::kAnswers || probe.outcome == Outcome::kRefused;
    return probe.peer == peer && (has_answered || players_are_answered(facts, probe.forward));
  });
}

std::string own_addresses(const GatewayState& gateway) {
  std::string text;
  for (const Ip& ip : gateway.addresses) {
    text += (text.empty() ? "" : ", ") + ip.to_string() + (ip.is_v4() ? "/32" : "/128");
  }
  return text.empty() ? "this gateway's address" : text;
}

Finding wrong_source(const Facts& facts, const PeerState& peer) {
  const std::string source = peer.wrong_source->to_string();
  const std::string prefix = source + (peer.wrong_source->is_v4() ? "/32" : "/128");
  std::string allowed;
  for (const Prefix& each : peer.allowed_ips) allowed += (allowed.empty() ? "\"" : ", \"") + each.to_string() + "\"";
  return {Code::kWrongAllowedIps,
          name_of(peer) + " sends from " + source + ", which is not in its allowed_ips",
          {"such packets are dropped (wrong_source), the last from " + source, "allowed_ips = [" + allowed + "]"},
          {"if that is its tunnel address: allowed_ips = [" + allowed + (allowed.empty() ? "\"" : ", \"") + prefix +
               "\"] in [[peer]] of " + file_of(facts),
           then_reload(facts), "or give " + name_of(peer) + " the address that is expected here"}};
}

Finding nothing_comes_back(const Facts& facts, size_t index) {
  const PeerState& peer = facts.after->peers[index];
  std::string asked;
  for (const PingProbe& ping : facts.pings) {
    if (is_of(ping, index)) asked += (asked.empty() ? "" : ", ") + ping.to.to_string();
  }
  return {Code::kWrongAllowedIps,
          "the tunnel to " + name_of(peer) + " stands, but nothing comes back: its AllowedIPs may lack this gateway",
          {"handshakes are right, and it receives what is sent", "no answer through the tunnel from " + asked},
          {"at " + name_of(peer) + ", in its [Peer]: AllowedIPs = " + own_addresses(*facts.after),
           "see that its tunnel interface has the address " + asked + ": ip addr",
           "let its firewall take what comes by the tunnel: ping, and the ports of the forwards",
           "if players are answered all the same, it only refuses pings"}};
}

Finding black_hole(const Facts& facts, const PeerState& peer, const PingProbe& ping) {
  const std::string largest = std::to_string(*ping.largest);
  const std::string mtu = std::to_string(facts.after->mtu);
  Finding finding = {
      Code::kMtuBlackHole,
      "large packets to " + name_of(peer) + " vanish on the way",
      {"of " + ping.to.to_string() + " came back: packets of " + largest + " bytes and less",
       "packets of " + mtu + " bytes, the interface's mtu, did not"},
      {"mtu = " + largest + " in [interface] of " + file_of(facts) + ", and MTU = " + largest + " at " + name_of(peer),
       then_reload(facts)}};
  if (*ping.largest < 1280) finding.to_do.emplace_back("IPv6 needs 1280: take its addresses out of the tunnel, too");
  return finding;
}

std::string milliseconds_text(std::chrono::microseconds time) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f ms", static_cast<double>(time.count()) / 1000);
  return text.data();
}

/// True when large packets pass.
bool diagnose_size(const Facts& facts, const PeerState& peer, const PingProbe& ping, Diagnosis& diagnosis) {
  diagnosis.well.push_back("tunnel to " + name_of(peer) + ": " + ping.to.to_string() + " answers in " +
                           milliseconds_text(ping.round_trip));
  if (ping.largest) {
    diagnosis.findings.push_back(black_hole(facts, peer, ping));
    return false;
  }
  diagnosis.well.push_back("tunnel to " + name_of(peer) + ": packets of " + std::to_string(facts.after->mtu) +
                           " bytes pass");
  return true;
}

Finding dead_service(const Facts& facts, const ServiceProbe& probe, std::vector<std::string> saw) {
  const ForwardState& forward = facts.after->forwards[probe.forward];
  const std::string protocol = forward.tcp ? "tcp" : "udp";
  const std::string port = std::to_string(probe.to.port);
  const std::string home = name_of(facts.after->peers[probe.peer]);
  return {Code::kServiceDead,
          "the service of " + forward.name + " is not there: " + protocol + " " + probe.to.to_string(),
          std::move(saw),
          {"at " + home + ": start it, and see that it listens: ss -ln | grep " + port + " (FreeBSD: sockstat -l -p " +
               port + ")",
           "it must listen on " + probe.to.ip.to_string() + " or on all addresses, not on 127.0.0.1",
           "at " + home + ": let the firewall take " + protocol + " port " + port + " from the tunnel"}};
}

/// Since the first look, clients have sent and nothing went back, although nobody is established either.
bool nobody_is_answered(const Facts& facts, size_t index) {
  const ForwardState& forward = facts.after->forwards[index];
  const bool is_asked = forward.bytes_in > facts.before->forwards[index].bytes_in;
  return !forward.tcp && is_asked && forward.flows > 0 && forward.flows_established == 0 &&
         !players_are_answered(facts, index);
}

/// Why a service is thought dead; nothing when it is not.
std::vector<std::string> signs_of_death(const Facts& facts, const ServiceProbe& probe) {
  const ForwardState& forward = facts.after->forwards[probe.forward];
  if (probe.outcome == Outcome::kAnswers || players_are_answered(facts, probe.forward)) return {};
  if (probe.outcome == Outcome::kRefused)
    return {"asked from here: its machine says that nothing listens at that port"};
  if (!forward.service_is_reachable) return {"asked by a player: its machine says that nothing listens at that port"};
  if (probe.outcome == Outcome::kUnreachable) return {"asked from here: there is no way to it"};
  if (forward.tcp && facts.after->tun) return {"asked from here: no connection, and no refusal either"};
  for (const char* drop : {"service_refused", "service_timeout", "service_unreachable"}) {
    if (growth_of(facts, probe.forward, drop) > 0) return {std::string("connections of players fail: ") + drop};
  }
  if (nobody_is_answered(facts, probe.forward)) return {"players ask, and nothing goes back to any of them"};
  const auto its_ping = std::ranges::find(facts.pings, probe.to.ip, &PingProbe::to);
  const bool has_no_machine = its_ping != facts.pings.end() && its_ping->error == 0 && !its_ping->answered;
  if (!has_no_machine) return {};
  return {"its machine, " + probe.to.ip.to_string() + ", does not answer, although the tunnel does"};
}

std::string well_of(const Facts& facts, const ServiceProbe& probe) {
  const ForwardState& forward = facts.after->forwards[probe.forward];
  const std::string service = "forward " + forward.name + ": " + probe.to.to_string();
  if (players_are_answered(facts, probe.forward)) return service + " answers players";
  if (probe.outcome == Outcome::kAnswers) return service + (forward.tcp ? " takes connections" : " answers");
  return service + " is silent, as many are until a player comes; nothing says that nobody is there";
}

/// Of all addresses that answer; one is enough to find fault with.
bool diagnose_sizes(const Facts& facts, size_t index, Diagnosis& diagnosis) {
  for (const PingProbe& ping : facts.pings) {
    const bool is_answer = is_of(ping, index) && ping.answered;
    if (is_answer && !diagnose_size(facts, facts.after->peers[index], ping, diagnosis)) return false;
  }
  return true;
}

std::string why_unseen(const Facts& facts, size_t index) {
  const auto its = std::ranges::find(facts.pings, index, &PingProbe::peer);
  if (its == facts.pings.end()) return "nothing there to ping, its allowed_ips are networks";
  if (its->error != 0) return "ping " + its->to.to_string() + ": " + reason(its->error);
  return its->to.to_string() + " does not answer pings, as a gateway with tun = false does not";
}

}  // namespace

bool diagnose_tunnel(const Facts& facts, size_t index, Diagnosis& diagnosis) {
  const PeerState& peer = facts.after->peers[index];
  const bool was_asked = std::ranges::any_of(facts.pings, [&](const auto& ping) { return is_of(ping, index); });
  if (was_asked && anything_came_back(facts, index)) return diagnose_sizes(facts, index, diagnosis);
  if (peer.wrong_source) {
    diagnosis.findings.push_back(wrong_source(facts, peer));
    return false;
  }
  // A gateway that is called may well have no tun, and then nobody answers pings there.
  const bool may_be_silent = facts.after->forwards.empty() && is_called_by_us(facts.config, peer);
  if (was_asked && !may_be_silent) {
    diagnosis.findings.push_back(nothing_comes_back(facts, index));
    return false;
  }
  if (facts.after->tun) diagnosis.unseen.push_back("what is behind " + name_of(peer) + ": " + why_unseen(facts, index));
  return true;
}

void diagnose_services(const Facts& facts, size_t peer, Diagnosis& diagnosis) {
  for (const ServiceProbe& probe : facts.services) {
    if (probe.peer != peer) continue;
    std::vector<std::string> signs = signs_of_death(facts, probe);
    const bool is_known = facts.after->tun || players_are_answered(facts, probe.forward);
    if (signs.empty() && is_known) diagnosis.well.push_back(well_of(facts, probe));
    if (!signs.empty()) diagnosis.findings.push_back(dead_service(facts, probe, std::move(signs)));
  }
}

}  // namespace adit::doctor
