// What `wg` asks and sets while the gateway runs.  None of it is written to the configuration.

#include <nlohmann/json.hpp>

#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/status.h"
#include "net/clock.h"

namespace adit::daemon {

DeviceStatus Gateway::device() const {
  return {tunnel_.private_key(), config_.interface.listen_port, config_.interface.fwmark, tunnel_.peers()};
}

std::string Gateway::show() const { return status_of(*this).dump(); }

// The interface.

bool Gateway::is_own_key(const crypto::PublicKey& key) const {
  return !tunnel_.private_key().is_zero() && key == tunnel_.public_key();
}

void Gateway::set_private_key(const crypto::PrivateKey& key) { tunnel_.set_private_key(key, read_clock()); }

bool Gateway::set_listen_port(uint16_t port) {
  const Now now = read_clock();
  const bool has_it = !udp_.empty() && port != 0 && port == config_.interface.listen_port;
  if (has_it) return true;
  if (!interface_is_up_) {
    config_.interface.listen_port = port;
    return true;
  }
  try {
    open_tunnel_sockets(port);
  } catch (const std::system_error& error) {
    spdlog::error("{}: {}", config_.interface.name, error.what());
    return false;
  }
  tunnel_.forget_local_addresses();
  if (!tunnel_.is_up()) tunnel_.set_up(now, to_peers_);  // it had waited for a port
  return true;
}

bool Gateway::set_fwmark(uint32_t mark) {
  try {
    for (UdpSocket& socket : udp_) socket.set_mark(mark);
  } catch (const std::system_error& error) {
    spdlog::error("{}: {}", config_.interface.name, error.what());
    return false;
  }
  config_.interface.fwmark = mark;
  tunnel_.forget_local_addresses();
  return true;
}

// Its peers.

void Gateway::remove_all_peers() { tunnel_.remove_all_peers(); }

bool Gateway::has_peer(const crypto::PublicKey& peer) const { return tunnel_.has_peer(peer); }

void Gateway::add_peer(const crypto::PublicKey& peer) {
  tunnel::PeerSettings settings;
  settings.public_key = peer;
  tunnel_.add_peer(settings, read_clock());
}

void Gateway::remove_peer(const crypto::PublicKey& peer) { tunnel_.remove_peer(peer); }

void Gateway::set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) {
  tunnel_.set_preshared_key(peer, key);
}

void Gateway::set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint) {
  tunnel_.set_endpoint(peer, endpoint, read_clock());
}

void Gateway::set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval) {
  tunnel_.set_persistent_keepalive(peer, interval, read_clock());
}

void Gateway::disallow_all_ips(const crypto::PublicKey& peer) { tunnel_.disallow_all_ips(peer); }
void Gateway::allow_ip(const crypto::PublicKey& peer, const Prefix& prefix) { tunnel_.allow_ip(peer, prefix); }
void Gateway::disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) { tunnel_.disallow_ip(peer, prefix); }

void Gateway::peer_is_set(const crypto::PublicKey& peer) {
  tunnel_.send_staged(peer, read_clock(), to_peers_);
  write_to_peers();
}

void Gateway::set_is_done() {
  const Now now = read_clock();
  tunnel_.tick(now, to_peers_);  // keepalives that were just turned on
  flush(now);
}

}  // namespace adit::daemon
