// What is set from outside, and what is shown.

#include <algorithm>
#include <stdexcept>

#include "tunnel/tunnel.h"

namespace adit::tunnel {

Peer* Tunnel::find_peer(const crypto::PublicKey& key) const noexcept {
  const auto found = peers_.find(key);
  return found == peers_.end() ? nullptr : found->second.get();
}

// The interface.

void Tunnel::set_private_key(const crypto::PrivateKey& key, Now /*now*/) noexcept {
  const Identity identity(key);
  if (identity.private_key == identity_.private_key) return;
  remove_peer(identity.public_key);
  identity_ = identity;
  cookie_checker_ = CookieChecker(identity_.public_key);
  for (const auto& [public_key, peer] : peers_) {
    if (peer->handshake.local_index() != 0) indices_.give_back(peer->handshake.local_index());
    peer->handshake.identity_changed();
    peer->keypairs.stop_sending();
    peer->last_handshake_sent.reset();  // the next initiation has nothing to do with the last
  }
}

void Tunnel::set_up(Now now, Outgoing& out) noexcept {
  if (up_) return;
  up_ = true;
  for (const auto& [key, peer] : peers_) {
    peer->timers.hasten_persistent_keepalive(now.mono);
    schedule_.update(*peer);
  }
  tick(now, out);
}

void Tunnel::set_down() noexcept {
  if (!up_) return;
  up_ = false;
  for (const auto& [key, peer] : peers_) {
    purge_staged(*peer);
    forget_keys(*peer);
    peer->last_handshake_sent.reset();
    peer->timers.stop();
    schedule_.update(*peer);
  }
}

void Tunnel::forget_local_addresses() noexcept {
  for (const auto& [key, peer] : peers_) peer->forget_local_address();
}

std::vector<Way> Tunnel::ways() const {
  std::vector<Way> all;
  for (const auto& [key, peer] : peers_) {
    if (!peer->endpoint) continue;
    for (const Local& local : {peer->local, peer->refused_local}) {
      if (local.interface != 0) all.push_back({key, *peer->endpoint, local});
    }
  }
  return all;
}

void Tunnel::open_way(const Way& way, bool open) noexcept {
  Peer* const peer = find_peer(way.peer);
  if (peer == nullptr || peer->endpoint != way.remote) return;
  if (open && peer->refused_local == way.local) peer->refused_local = {};
  if (open || peer->local != way.local) return;
  peer->refused_local = std::exchange(peer->local, {});
}

// Peers.

void Tunnel::add_peer(const PeerSettings& settings, Now now) {
  if (has_peer(settings.public_key)) {
    throw std::invalid_argument("peer " + settings.public_key.to_base64() + " is there already");
  }
  auto owned = std::make_unique<Peer>(settings.public_key, ++peers_added_);
  Peer& peer = *owned;
  peers_.emplace(settings.public_key, std::move(owned));
  peer.handshake.set_preshared_key(settings.preshared_key);
  peer.endpoint = settings.endpoint;
  for (const Prefix& prefix : settings.allowed_ips) allowed_ips_.give(peer, prefix);
  schedule_.add(peer);
  peer.timers.set_persistent_keepalive(settings.persistent_keepalive, now.mono);
  schedule_.update(peer);
}

void Tunnel::remove_peer(const crypto::PublicKey& key) noexcept {
  const auto found = peers_.find(key);
  if (found == peers_.end()) return;
  remove(*found->second);
  peers_.erase(found);
}

void Tunnel::remove_all_peers() noexcept {
  for (const auto& [key, peer] : peers_) remove(*peer);
  peers_.clear();
}

/// Takes the peer out of every table that points to it.
void Tunnel::remove(Peer& peer) noexcept {
  purge_staged(peer);
  forget_keys(peer);
  allowed_ips_.take_all(peer);
  schedule_.remove(peer);
}

void Tunnel::set_preshared_key(const crypto::PublicKey& key, const crypto::PresharedKey& preshared_key) noexcept {
  if (Peer* const peer = find_peer(key)) peer->handshake.set_preshared_key(preshared_key);
}

void Tunnel::set_endpoint(const crypto::PublicKey& key, const Endpoint& endpoint, Now now) noexcept {
  Peer* const peer = find_peer(key);
  if (peer == nullptr || peer->endpoint == endpoint) return;
  peer->endpoint = endpoint;
  peer->forget_local_address();
  peer->timers.hasten_persistent_keepalive(now.mono);
  schedule_.update(*peer);
}

void Tunnel::set_persistent_keepalive(const crypto::PublicKey& key, seconds interval, Now now) noexcept {
  Peer* const peer = find_peer(key);
  if (peer == nullptr) return;
  peer->timers.set_persistent_keepalive(interval, now.mono);
  schedule_.update(*peer);
}

void Tunnel::allow_ip(const crypto::PublicKey& key, const Prefix& prefix) {
  if (Peer* const peer = find_peer(key)) allowed_ips_.give(*peer, prefix);
}

void Tunnel::disallow_ip(const crypto::PublicKey& key, const Prefix& prefix) noexcept {
  if (Peer* const peer = find_peer(key)) allowed_ips_.take(*peer, prefix);
}

void Tunnel::disallow_all_ips(const crypto::PublicKey& key) noexcept {
  if (Peer* const peer = find_peer(key)) allowed_ips_.take_all(*peer);
}

void Tunnel::send_staged(const crypto::PublicKey& key, Now now, Outgoing& out) noexcept {
  Peer* const peer = find_peer(key);
  if (peer == nullptr) return;
  send_staged(*peer, now, out);
  settle();
}

void Tunnel::greet(const crypto::PublicKey& key, Now now, Outgoing& out) noexcept {
  Peer* const peer = find_peer(key);
  if (peer == nullptr) return;
  start_handshake(*peer, now, out);
  settle();
}

// What is shown.

std::vector<PeerStatus> Tunnel::peers() const {
  std::vector<const Peer*> in_order;
  in_order.reserve(peers_.size());
  for (const auto& [key, peer] : peers_) in_order.push_back(peer.get());
  std::ranges::sort(in_order, {}, &Peer::serial);

  std::vector<PeerStatus> all;
  all.reserve(in_order.size());
  for (const Peer* peer : in_order) {
    all.push_back({.public_key = peer->public_key,
                   .preshared_key = peer->handshake.preshared_key(),
                   .endpoint = peer->endpoint,
                   .allowed_ips = {peer->allowed_ips.begin(), peer->allowed_ips.end()},
                   .last_handshake = peer->last_handshake_complete,
                   .received_bytes = peer->received_bytes,
                   .sent_bytes = peer->sent_bytes,
                   .persistent_keepalive = peer->timers.persistent_keepalive(),
                   .handshake_attempts = peer->timers.attempts(),
                   .trouble = peer->trouble});
  }
  return all;
}

/// Peers that were added since may be it; one that was removed is not any more, and is not sought again.
void Tunnel::find_addressee() noexcept {
  Misdirected& lost = *misdirected_;
  if (lost.sought_among != peers_added_) {
    const ConstBytes message(reinterpret_cast<const uint8_t*>(&lost.message), sizeof(InitiationMessage));
    const auto found =
        std::ranges::find_if(peers_, [&](const auto& each) { return each.second->cookies.is_addressee(message); });
    lost.addressee = found == peers_.end() ? std::optional<crypto::PublicKey>() : found->first;
    lost.sought_among = peers_added_;
  }
  if (lost.addressee && !has_peer(*lost.addressee)) lost.addressee.reset();
}

std::vector<Stranger> Tunnel::strangers() {
  std::vector<Stranger> all;
  if (misdirected_) {
    find_addressee();
    all.push_back({Drop::kBadMac, misdirected_->at, misdirected_->from, misdirected_->addressee});
  }
  if (unknown_peer_) all.push_back(*unknown_peer_);
  return all;
}

}  // namespace adit::tunnel
