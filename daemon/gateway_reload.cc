// The configuration read anew: what it changes while the gateway runs, and nothing else.
//
// How it works.  Everything that may fail comes first and leaves the gateway as it is: sockets are bound, the new
// forwarder is made, the kernel's interface is changed (or, failing, changed back).  Then the new takes the place of
// the old at once, with nobody serving packets: what comes meanwhile waits in its socket.  A socket that both have
// stays open, a flow that both have goes on, and so do the sessions of peers that stay.

#include <algorithm>
#include <stdexcept>

#include "crypto/random.h"
#include "daemon/gateway.h"
#include "daemon/interface_setup.h"
#include "daemon/log.h"
#include "daemon/peer_changes.h"
#include "daemon/sandbox.h"
#include "daemon/setup.h"
#include "net/clock.h"

namespace adit::daemon {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& from, const std::string& to) {
  throw std::runtime_error("reload: " + what + " cannot change from " + from + " to " + to +
                           " while the gateway runs (restart it)");
}

void refuse_what_needs_a_restart(const config::Config& running_config, const config::Config& wanted_config,
                                 size_t largest) {
  const config::Interface& running = running_config.interface;
  const config::Interface& wanted = wanted_config.interface;
  if (wanted.name != running.name) refuse("the interface's name", running.name, wanted.name);
  if (wanted.tun != running.tun) refuse("tun", running.tun ? "true" : "false", wanted.tun ? "true" : "false");
  if (with_overhead(wanted.mtu) > largest) refuse("the MTU", std::to_string(running.mtu), std::to_string(wanted.mtu));
  if (may_change_interfaces() || !changes_interface(running_config, wanted_config)) return;
  throw std::runtime_error("reload: addresses, routes and the MTU of " + running.name +
                           " can only change while the gateway runs as root (restart it)");
}

}  // namespace

/// A socket for each listener that has none yet, by ListenerId; no socket for the others.
std::vector<std::optional<UdpSocket>> Gateway::bind_new_listeners(const config::Config& wanted) const {
  std::vector<std::optional<UdpSocket>> sockets;
  for (const config::Listener& each : udp_listeners(wanted)) {
    const auto is_it = [&](const UdpSocket& socket) { return socket.local() == each.listen; };
    sockets.emplace_back();
    if (std::ranges::none_of(ports_.clients, is_it)) sockets.back() = UdpSocket::bind(each.listen, offloads_);
  }
  return sockets;
}

void Gateway::reload(config::Config wanted) {
  config::Interface& interface = wanted.interface;
  refuse_what_needs_a_restart(config_, wanted, pool_.largest_packet());
  if (interface.listen_port == 0) interface.listen_port = config_.interface.listen_port;
  NewPorts ports{bind_new_listeners(wanted), {}, start_new_status_servers(wanted)};
  const bool lacks_port = ports_.peers.empty() || interface.listen_port != config_.interface.listen_port;
  if (interface_is_up_ && lacks_port) ports.peers = bind_tunnel_port(interface.listen_port, interface.fwmark);
  forward::Forwarder forwarder(forward_settings(wanted));
  change_kernel(wanted);
  take_over(std::move(wanted), std::move(ports), std::move(forwarder));
}

/// All or nothing, as far as the kernel lets us go back.
void Gateway::change_kernel(const config::Config& wanted) {
  const uint32_t mark = config_.interface.fwmark;
  if (wanted.interface.fwmark != mark && !set_fwmark(wanted.interface.fwmark)) {
    (void)set_fwmark(mark);  // some sockets may have been given the new one
    throw std::runtime_error("reload: the kernel refuses fwmark " + std::to_string(wanted.interface.fwmark));
  }
  const bool has_interface = wanted.interface.tun && may_change_interfaces();
  bool is_changed = false;
  try {
    if (has_interface) change_interface(config_, wanted);
    is_changed = has_interface;
    reconfigure_relay(wanted);
  } catch (const std::exception&) {
    (void)set_fwmark(mark);
    if (is_changed) change_interface(wanted, config_);
    throw;
  }
}

/// All or nothing.  It was made when there first was a tcp forward.
void Gateway::reconfigure_relay(const config::Config& wanted) {
  const RelaySettings settings = relay_settings(wanted, crypto::random_u64());
  if (relay_)
    relay_->reconfigure(settings);
  else if (!settings.rules.empty())
    relay_.emplace(loop_, settings);
}

/// May not fail: half a change is worse than an end.
void Gateway::take_over(config::Config wanted, NewPorts ports, forward::Forwarder forwarder) noexcept {
  const config::Interface& interface = wanted.interface;
  const bool moves = !ports.peers.empty();
  if (moves) replace_tunnel_sockets(std::move(ports.peers));
  stop_threads();
  replace_listeners(wanted, std::move(ports.clients));
  {
    Lock lock(core_.mutex);
    const Now now = read_clock();
    core_.replace_forwarder(std::move(forwarder), now.mono);
    if (moves) core_.tunnel.forget_local_addresses();
    if (moves && !core_.tunnel.is_up()) core_.tunnel.set_up(now, to_peers_);  // it had waited for a port
    core_.tunnel.set_mtu(interface.mtu);
    core_.tunnel.set_private_key(interface.private_key, now);
    change_peers(config_.peers, wanted.peers, core_.tunnel, resolver_, now);
    config_ = std::move(wanted);
    config::forget_keys(config_);
    core_.tunnel.tick(now, to_peers_);
    flush(std::move(lock));
  }
  if (!ports_.tun.empty()) fit_super_packets();
  start_threads();
  replace_status_servers(std::move(ports.status));
}

/// Sockets that stay keep what waits in them.
void Gateway::replace_listeners(const config::Config& wanted, std::vector<std::optional<UdpSocket>> added) {
  for (const auto& worker : workers_) worker->unwatch_clients();
  const std::vector<config::Listener> listeners = udp_listeners(wanted);
  std::vector<UdpSocket> sockets;
  for (size_t i = 0; i < listeners.size(); ++i) {
    const auto is_it = [&](const UdpSocket& socket) { return socket.local() == listeners[i].listen; };
    sockets.push_back(std::move(added[i] ? *added[i] : *std::ranges::find_if(ports_.clients, is_it)));
  }
  ports_.clients = std::move(sockets);
  watch_clients();
}

}  // namespace adit::daemon
