// What `wg` asks and sets while the gateway runs.  None of it is written to the configuration.

#include <cerrno>
#include <nlohmann/json.hpp>

#include "config/problems.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/status.h"
#include "net/clock.h"

namespace adit::daemon {

DeviceStatus Gateway::device() const {
  const Lock lock(core_.mutex);
  return {core_.tunnel.private_key(), config_.interface.listen_port, config_.interface.fwmark, core_.tunnel.peers()};
}

std::string Gateway::show() const { return status_of(config_, snapshot()).dump(); }

std::string Gateway::summary() const {
  return "udp port " + std::to_string(config_.interface.listen_port) + ", " +
         config::counted(config_.peers.size(), "peer") + ", " + config::counted(config_.forwards.size(), "forward");
}

ReloadResult Gateway::reload() {
  if (!file_) return {-ENOTSUP, config_.interface.name + " was not started from a configuration file"};
  told_->reloading();
  ReloadResult result = read_anew();
  told_->ready(config_.interface.name + ": " + summary() + (result.error == 0 ? "" : "; nothing of the last reload"));
  return result;
}

ReloadResult Gateway::read_anew() {
  try {
    reload(config::load(*file_));
    log::info("{} reloaded: {}, {}", config_.interface.name, config::counted(config_.peers.size(), "peer"),
              config::counted(config_.forwards.size(), "forward"));
    return {};
  } catch (const config::ConfigError& error) {
    log::error("nothing has changed, the configuration is wrong: {}", error.what());
    return {-EINVAL, error.what()};
  } catch (const std::exception& error) {
    log::error("nothing has changed: {}", error.what());
    return {-EIO, error.what()};
  }
}

// The interface.

bool Gateway::is_own_key(const crypto::PublicKey& key) const {
  const Lock lock(core_.mutex);
  return !core_.tunnel.private_key().is_zero() && key == core_.tunnel.public_key();
}

void Gateway::set_private_key(const crypto::PrivateKey& key) {
  const Lock lock(core_.mutex);
  core_.tunnel.set_private_key(key, read_clock());
}

bool Gateway::set_listen_port(uint16_t port) {
  const bool has_it = !ports_.peers.empty() && port != 0 && port == config_.interface.listen_port;
  if (has_it) return true;
  if (!interface_is_up_) {
    config_.interface.listen_port = port;
    return true;
  }
  TunnelSockets sockets;
  try {
    sockets = bind_tunnel_port(port, config_.interface.fwmark);
  } catch (const std::system_error& error) {
    log::error("{}: {}", config_.interface.name, error.what());
    return false;
  }
  replace_tunnel_sockets(std::move(sockets));
  const Lock lock(core_.mutex);
  core_.tunnel.forget_local_addresses();
  if (!core_.tunnel.is_up()) core_.tunnel.set_up(read_clock(), to_peers_);  // it had waited for a port
  return true;
}

bool Gateway::set_fwmark(uint32_t mark) {
  try {
    for (std::vector<UdpSocket>& sockets : ports_.peers) {
      for (UdpSocket& socket : sockets) socket.set_mark(mark);
    }
  } catch (const std::system_error& error) {
    log::error("{}: {}", config_.interface.name, error.what());
    return false;
  }
  config_.interface.fwmark = mark;
  const Lock lock(core_.mutex);
  core_.tunnel.forget_local_addresses();
  return true;
}

// Its peers.

void Gateway::remove_all_peers() {
  const Lock lock(core_.mutex);
  core_.tunnel.remove_all_peers();
}

bool Gateway::has_peer(const crypto::PublicKey& peer) const {
  const Lock lock(core_.mutex);
  return core_.tunnel.has_peer(peer);
}

void Gateway::add_peer(const crypto::PublicKey& peer) {
  tunnel::PeerSettings settings;
  settings.public_key = peer;
  const Lock lock(core_.mutex);
  core_.tunnel.add_peer(settings, read_clock());
}

void Gateway::remove_peer(const crypto::PublicKey& peer) {
  const Lock lock(core_.mutex);
  core_.tunnel.remove_peer(peer);
}

void Gateway::set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) {
  const Lock lock(core_.mutex);
  core_.tunnel.set_preshared_key(peer, key);
}

void Gateway::set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint) {
  const Lock lock(core_.mutex);
  core_.tunnel.set_endpoint(peer, endpoint, read_clock());
}

void Gateway::set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval) {
  const Lock lock(core_.mutex);
  core_.tunnel.set_persistent_keepalive(peer, interval, read_clock());
}

void Gateway::disallow_all_ips(const crypto::PublicKey& peer) {
  const Lock lock(core_.mutex);
  core_.tunnel.disallow_all_ips(peer);
}
void Gateway::allow_ip(const crypto::PublicKey& peer, const Prefix& prefix) {
  const Lock lock(core_.mutex);
  core_.tunnel.allow_ip(peer, prefix);
}
void Gateway::disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) {
  const Lock lock(core_.mutex);
  core_.tunnel.disallow_ip(peer, prefix);
}

void Gateway::peer_is_set(const crypto::PublicKey& peer) {
  Lock lock(core_.mutex);
  core_.tunnel.send_staged(peer, read_clock(), to_peers_);
  flush(std::move(lock));
}

void Gateway::set_is_done() {
  Lock lock(core_.mutex);
  core_.tunnel.tick(read_clock(), to_peers_);  // keepalives that were just turned on
  flush(std::move(lock));
}

}  // namespace adit::daemon
