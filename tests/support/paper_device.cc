#include "tests/support/paper_device.h"

#include <algorithm>
#include <cstdlib>

namespace adit::test {

daemon::DeviceStatus PaperDevice::device() const {
  daemon::DeviceStatus status{private_key, listen_port, fwmark, {}};
  for (const auto& [key, peer] : peers) status.peers.push_back(peer);
  return status;
}

bool PaperDevice::is_own_key(const crypto::PublicKey& key) const {
  return own_key != crypto::PublicKey{} && key == own_key;
}

bool PaperDevice::set_listen_port(uint16_t port) {
  if (port != 0 && port == busy_port) return false;
  listen_port = port;
  return true;
}

bool PaperDevice::set_fwmark(uint32_t mark) {
  if (may_mark) fwmark = mark;
  return may_mark;
}

void PaperDevice::add_peer(const crypto::PublicKey& peer) {
  if (is_own_key(peer) || has_peer(peer)) std::abort();
  peers[peer].public_key = peer;
}

void PaperDevice::set_preshared_key(const crypto::PublicKey& peer, const crypto::PresharedKey& key) {
  existing(peer).preshared_key = key;
}

void PaperDevice::set_endpoint(const crypto::PublicKey& peer, const Endpoint& endpoint) {
  existing(peer).endpoint = endpoint;
}

void PaperDevice::set_persistent_keepalive(const crypto::PublicKey& peer, seconds interval) {
  existing(peer).persistent_keepalive = interval;
}

void PaperDevice::disallow_all_ips(const crypto::PublicKey& peer) { existing(peer).allowed_ips.clear(); }

void PaperDevice::allow_ip(const crypto::PublicKey& peer, const Prefix& prefix) {
  std::vector<Prefix>& ips = existing(peer).allowed_ips;
  if (std::ranges::find(ips, prefix) == ips.end()) ips.push_back(prefix);
}

void PaperDevice::disallow_ip(const crypto::PublicKey& peer, const Prefix& prefix) {
  std::erase(existing(peer).allowed_ips, prefix);
}

void PaperDevice::peer_is_set(const crypto::PublicKey& peer) {
  existing(peer);
  finished.push_back(peer);
}

tunnel::PeerStatus& PaperDevice::existing(const crypto::PublicKey& peer) {
  const auto found = peers.find(peer);
  if (found == peers.end()) std::abort();
  return found->second;
}

}  // namespace adit::test
