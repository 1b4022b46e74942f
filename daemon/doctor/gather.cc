#include "daemon/doctor/gather.h"

#include <net/if.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <thread>

#include "daemon/control.h"
#include "daemon/doctor/echo.h"
#include "daemon/doctor/gateway_state.h"
#include "daemon/doctor/machine.h"
#include "daemon/doctor/ping.h"
#include "daemon/doctor/probes.h"
#include "daemon/program.h"
#include "net/clock.h"

namespace adit::doctor {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr milliseconds kPingPatience(1000);  // around the world, and a handshake before it
constexpr milliseconds kProbePatience(600);  // for a refusal
constexpr milliseconds kLeastSizePatience(200);
constexpr milliseconds kBetweenLooks(200);
/// Whoever receives data and has nothing to say confirms that after ten seconds (paper 6.5).
constexpr std::chrono::seconds kKeepaliveTimeout(11);

UnixTime unix_now() { return std::chrono::floor<std::chrono::seconds>(read_clock().wall).time_since_epoch().count(); }

// The file.

void load_config(const Request& request, Facts& facts) {
  std::error_code none;
  if (!request.is_config_meant && !std::filesystem::exists(request.config, none) && !none) return;
  facts.config_file = request.config.string();
  try {
    facts.config = config::load(request.config);
    config::forget_keys(*facts.config);
  } catch (const config::ConfigError& error) {
    facts.problems = error.problems();
  } catch (const std::system_error& error) {
    facts.problems.push_back({{}, error.what()});
  }
}

/// The file of another gateway says nothing about this one.
void forget_others_config(Facts& facts) {
  if (facts.config && facts.config->interface.name == facts.interface) return;
  facts.config.reset();
  facts.config_file.clear();
}

std::string chosen_interface(const Request& request, const Facts& facts) {
  if (request.interface) return *request.interface;
  if (facts.config) return facts.config->interface.name;
  if (!facts.problems.empty()) return "";
  const std::vector<std::string> running = daemon::controlled_interfaces();
  if (running.size() == 1) return running.front();
  throw std::runtime_error("doctor: " +
                           std::string(running.empty() ? "no gateway is running, and there is no "
                                                       : "several gateways are running, and there is no ") +
                           request.config.string() + " (name an interface, or a file with -c)");
}

// The gateway.

std::optional<GatewayState> look(Facts& facts) {
  try {
    return read_gateway_state(daemon::request_show(daemon::control_path(facts.interface)));
  } catch (const std::system_error& error) {
    facts.control_error = error.code().value();
    return {};
  }
}

/// Before and after must be of the same peers and forwards: a reload in between makes the second look the first.
bool is_alike(const GatewayState& before, const GatewayState& after) {
  return std::ranges::equal(before.peers, after.peers, {}, &PeerState::public_key, &PeerState::public_key) &&
         std::ranges::equal(before.forwards, after.forwards, {}, &ForwardState::name, &ForwardState::name);
}

void look_again(Facts& facts) {
  std::optional<GatewayState> after = look(facts);
  if (!after) throw std::runtime_error("doctor: " + facts.interface + " was stopped meanwhile");
  facts.after = std::move(after);
  if (!is_alike(*facts.before, *facts.after)) facts.before = facts.after;
  facts.now = unix_now();
}

// Where none runs.

void try_port(const std::string& of, const Endpoint& endpoint, bool tcp, Facts& facts) {
  const int error = try_bind(endpoint, tcp);
  if (error == 0 || error == EAFNOSUPPORT) return;
  facts.ports.push_back({of, endpoint, tcp, error, error == EADDRINUSE ? holder_of(endpoint.port, tcp) : ""});
}

void try_ports(Facts& facts) {
  const config::Interface& interface = facts.config->interface;
  for (const Ip& any : {Ip::v4(0), Ip()}) {
    if (interface.listen_port != 0) try_port("listen_port", {any, interface.listen_port}, false, facts);
  }
  for (const config::Forward& forward : facts.config->forwards) {
    for (const config::Listener& listener : forward.listeners) {
      try_port("forward " + forward.name, listener.listen, forward.protocol == config::Protocol::kTcp, facts);
    }
  }
}

// The machine.

void look_for_newer_file(Facts& facts) {
  constexpr UnixTime kTolerance = 3600;
  std::error_code none;
  for (const std::filesystem::path& file : {daemon::program_path(), std::filesystem::path(facts.config_file)}) {
    const auto changed = std::filesystem::last_write_time(file, none);
    if (none) continue;
    const auto on_wall = std::chrono::file_clock::to_sys(changed);
    const UnixTime seconds = std::chrono::floor<std::chrono::seconds>(on_wall).time_since_epoch().count();
    if (seconds > unix_now() + kTolerance) facts.machine.newer_file = {file.string(), seconds};
  }
}

// Through the tunnel.

Way through_tunnel(const GatewayState& gateway, bool v4) {
  Way way = {gateway.name, {}};
  for (const Ip& ip : gateway.addresses) {
    if (!way.from && ip.is_v4() == v4) way.from = ip;
  }
  return way;
}

/// The services' machines of a peer that forwards lead to, else the hosts that its allowed IPs name one by one.
std::vector<PingProbe> pings_of(const GatewayState& gateway, const std::vector<ServiceOf>& services) {
  std::vector<PingProbe> pings;
  const auto add = [&](size_t peer, const Ip& ip) {
    if (std::ranges::find(pings, ip, &PingProbe::to) != pings.end()) return;
    pings.emplace_back().peer = peer;
    pings.back().to = ip;
  };
  for (const ServiceOf& service : services) add(service.peer, service.to.ip);
  for (size_t peer = 0; peer < gateway.peers.size(); ++peer) {
    if (std::ranges::find(services, peer, &ServiceOf::peer) != services.end()) continue;
    for (const Prefix& prefix : gateway.peers[peer].allowed_ips) {
      if (prefix.length == prefix.ip.bits()) add(peer, prefix.ip);
    }
  }
  return pings;
}

void ping(const GatewayState& gateway, PingProbe& probe) {
  try {
    Pinger pinger(probe.to, through_tunnel(gateway, probe.to.is_v4()));
    probe.answered = pinger.ask({kSmallestEcho}, kPingPatience).front();
    if (!probe.answered) return;
    probe.round_trip = pinger.round_trip();
    const milliseconds patience = std::chrono::duration_cast<milliseconds>(4 * probe.round_trip) + kLeastSizePatience;
    if (!pinger.ask({gateway.mtu}, 2 * patience).front()) {
      probe.largest = pinger.largest(kSmallestEcho, gateway.mtu, patience);
    }
  } catch (const std::system_error& error) {
    probe.error = error.code().value();
  }
}

/// Each on a thread of its own, so that silence is waited for once.
template <typename Probe, typename Ask>
void ask_together(std::vector<Probe>& probes, const Ask& ask) {
  constexpr size_t kAtOnce = 32;
  for (size_t begin = 0; begin < probes.size(); begin += kAtOnce) {
    std::vector<std::future<void>> asked;
    for (size_t i = begin; i < std::min(begin + kAtOnce, probes.size()); ++i) {
      asked.push_back(std::async(std::launch::async, [&ask, &probe = probes[i]] { ask(probe); }));
    }
    for (std::future<void>& each : asked) each.get();
  }
}

/// A peer that never called, and that we have nowhere to call, has nothing to be asked.
bool can_be_asked(const PeerState& peer) { return peer.endpoint || peer.latest_handshake; }

void look_through_tunnel(Facts& facts) {
  const GatewayState& gateway = *facts.before;
  const std::vector<ServiceOf> services = services_of(gateway, facts.config);
  for (const ServiceOf& each : services) {
    ServiceProbe& probe = facts.services.emplace_back();
    probe.forward = each.forward;
    probe.peer = each.peer;
    probe.to = each.to;
  }
  if (!gateway.tun) return;
  facts.pings = pings_of(gateway, services);
  std::erase_if(facts.pings, [&](const PingProbe& probe) { return !can_be_asked(gateway.peers[probe.peer]); });
  auto asking_services = std::async(std::launch::async, [&] {
    ask_together(facts.services, [&](ServiceProbe& probe) {
      if (!can_be_asked(gateway.peers[probe.peer])) return;
      const Way way = through_tunnel(gateway, probe.to.ip.is_v4());
      probe.outcome = ask_service(probe.to, gateway.forwards[probe.forward].tcp, way, kProbePatience);
    });
  });
  ask_together(facts.pings, [&](PingProbe& probe) { ping(gateway, probe); });
  asking_services.get();
}

// Outside of it.

bool is_silent(const Facts& facts, size_t peer) {
  return std::ranges::none_of(facts.pings, [&](const PingProbe& ping) { return ping.peer == peer && ping.answered; });
}

void ask_endpoint(const Facts& facts, EndpointProbe& probe) {
  const PeerState& peer = facts.before->peers[probe.peer];
  if (!probe.name.empty()) probe.addresses = look_up(probe.name, probe.lookup_error);
  if (!peer.endpoint) return;
  const int error = ask_udp(*peer.endpoint, 1, {}, kProbePatience);
  probe.send_error = error == ECANCELED ? 0 : error;
}

void look_for_endpoints(Facts& facts) {
  const std::vector<bool> needed = needed_peers(*facts.before, facts.config);
  for (size_t i = 0; i < needed.size(); ++i) {
    if (!needed[i] || !is_silent(facts, i)) continue;
    EndpointProbe& probe = facts.endpoints.emplace_back();
    probe.peer = i;
    const config::Peer* const written = written_peer(facts.config, facts.before->peers[i]);
    const bool has_name = written != nullptr && written->endpoint && !Ip::parse(written->endpoint->host);
    if (has_name) probe.name = written->endpoint->host;
  }
  ask_together(facts.endpoints, [&](EndpointProbe& probe) { ask_endpoint(facts, probe); });
}

/// Whether a peer that has a session received what was sent, but nothing came back from behind it, is known only when
/// it confirms that.
bool may_still_confirm(const Facts& facts) {
  for (size_t i = 0; i < facts.after->peers.size(); ++i) {
    const PeerState& peer = facts.after->peers[i];
    const bool was_pinged = std::ranges::find(facts.pings, i, &PingProbe::peer) != facts.pings.end();
    const bool has_session = peer.latest_handshake && facts.now - *peer.latest_handshake <= kSessionAge;
    const bool was_heard = peer.received_bytes > facts.before->peers[i].received_bytes;
    const bool was_strange = std::ranges::any_of(
        facts.after->strangers, [&](const StrangerState& each) { return each.at >= peer.latest_handshake; });
    const bool was_refused = std::ranges::any_of(
        facts.endpoints, [&](const EndpointProbe& probe) { return probe.peer == i && probe.send_error != 0; });
    const bool is_explained =
        peer.old_initiation || peer.unconfirmed > 0 || peer.wrong_source || was_strange || was_refused;
    if (was_pinged && has_session && is_silent(facts, i) && !was_heard && !is_explained) return true;
  }
  return false;
}

void gather_running(const Request& request, Facts& facts) {
  const Clock::time_point begin = Clock::now();
  look_through_tunnel(facts);
  look_for_endpoints(facts);
  std::this_thread::sleep_until(begin + request.time);
  look_again(facts);
  while (may_still_confirm(facts) && Clock::now() < begin + kKeepaliveTimeout) {
    std::this_thread::sleep_for(kBetweenLooks);
    look_again(facts);
  }
}

}  // namespace

Facts gather(const Request& request) {
  Facts facts;
  load_config(request, facts);
  facts.interface = chosen_interface(request, facts);
  if (request.interface && facts.problems.empty() && !request.is_config_meant) forget_others_config(facts);
  facts.now = unix_now();
  facts.advice = advice_of_system();
  look_at_rights(facts.machine);
  facts.machine.clock_is_synchronized = clock_is_synchronized();
  facts.machine.interface_exists = ::if_nametoindex(facts.interface.c_str()) != 0;
  look_for_newer_file(facts);
  if (!facts.problems.empty()) return facts;
  facts.before = look(facts);
  if (facts.before)
    gather_running(request, facts);
  else if (facts.config)
    try_ports(facts);
  return facts;
}

}  // namespace adit::doctor
