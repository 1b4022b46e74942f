// The tunnel is up while its interface is.

#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/setup.h"
#include "daemon/tunnel_sockets.h"
#include "net/clock.h"
#include "net/interface.h"

namespace adit::daemon {

void Gateway::on_interface_change() {
  const std::optional<InterfaceState> state = interface_watch_->look();
  if (!state) return lose_tun();
  if (state->mtu && *state->mtu != config_.interface.mtu) {
    follow_mtu(static_cast<uint16_t>(std::min<uint32_t>(*state->mtu, UINT16_MAX)));
  }
  if (state->up == interface_is_up_) return;
  interface_is_up_ = state->up;
  log::debug("{} is {}", config_.interface.name, state->up ? "up" : "down");
  if (state->up) return come_up();
  go_down();
}

void Gateway::follow_mtu(uint16_t mtu) {
  config_.interface.mtu = mtu;
  fit_super_packets();
  log::debug("{}: MTU {}", config_.interface.name, mtu);
  const Lock lock(core_.mutex);
  core_.tunnel.set_mtu(mtu);
  core_.forwarder.set_mtu(mtu);
}

/// The tun's own queue holds 500 packets, which small ones fill in less time than a thread may have to wait for a
/// processor.
void Gateway::lengthen_queue() {
  constexpr unsigned kQueueLength = 2000;
  try {
    set_queue_length(config_.interface.name, kQueueLength);
  } catch (const std::system_error& error) {
    log::debug("{}", error.what());  // as below
  }
}

/// One super-packet of the tun becomes one train to the peer: a little more would cost a train of two or three each
/// time.
void Gateway::fit_super_packets() {
  if (!ports_.tun.front().offloads().tso) return;
  try {
    set_largest_super_packet(config_.interface.name, largest_super_packet(config_.interface.mtu));
  } catch (const std::system_error& error) {
    log::debug("{}",
               error.what());  // in another namespace, or not the interface's administrator: it costs speed only
  }
}

/// Without its port the tunnel stays down, until it is given another.
void Gateway::come_up() {
  TunnelSockets sockets;
  try {
    sockets = bind_tunnel_port(config_.interface.listen_port, config_.interface.fwmark);
  } catch (const std::system_error& error) {
    log::error("{} stays down: {}", config_.interface.name, error.what());
    return;
  }
  replace_tunnel_sockets(std::move(sockets));
  Lock lock(core_.mutex);
  core_.tunnel.set_up(read_clock(), to_peers_);
  flush(std::move(lock));
}

void Gateway::go_down() {
  interface_is_up_ = false;
  {
    const Lock lock(core_.mutex);
    core_.tunnel.set_down();
  }
  stop_threads();
  close_tunnel_sockets();
  start_threads();
}

/// For each worker one socket of each IP version, on one port.  A machine without IPv6 (or IPv4) still has a tunnel.
/// Throws std::system_error.
Gateway::TunnelSockets Gateway::bind_tunnel_port(uint16_t port, uint32_t mark) const {
  TunnelSockets all = bind_tunnel_sockets_for(workers_.size(), port, offloads_);
  for (std::vector<UdpSocket>& sockets : all) {
    for (UdpSocket& socket : sockets) socket.set_mark(mark);
  }
  return all;
}

/// What it throws nobody may catch and go on: a gateway whose threads do not start again lives and is deaf.
void Gateway::replace_tunnel_sockets(TunnelSockets sockets) {
  stop_threads();
  close_tunnel_sockets();
  ports_.peers = std::move(sockets);
  config_.interface.listen_port = ports_.peers.front().front().local().port;
  for (const auto& worker : workers_) worker->watch_peers();
  start_threads();
}

void Gateway::close_tunnel_sockets() {
  for (const auto& worker : workers_) worker->unwatch_peers();
  ports_.peers.clear();
}

void Gateway::lose_tun() {
  if (lost_tun_) return;
  log::info("{} is gone", config_.interface.name);
  lost_tun_ = true;
  loop_.stop();
}

void Gateway::start_threads() {
  if (!is_started_) return;
  for (const auto& worker : workers_) worker->start();
}

void Gateway::stop_threads() noexcept {
  for (const auto& worker : workers_) worker->stop();
}

}  // namespace adit::daemon
