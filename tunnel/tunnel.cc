#include "tunnel/tunnel.h"

#include <stdexcept>

namespace adit::tunnel {

Tunnel::Tunnel(const crypto::PrivateKey& key, uint16_t mtu, PacketPool& pool)
    : identity_(key), mtu_(mtu), pool_(pool), cookie_checker_(identity_.public_key) {}

Tunnel::~Tunnel() = default;

void Tunnel::add_peer(const PeerSettings& settings, Now now) {
  const auto [entry, added] =
      peers_.emplace(settings.public_key, std::make_unique<Peer>(identity_, settings.public_key));
  if (!added) throw std::invalid_argument("peer " + settings.public_key.to_base64() + " is there already");
  Peer& peer = *entry->second;
  peer.handshake.set_preshared_key(settings.preshared_key);
  peer.endpoint = settings.endpoint;
  for (const Prefix& prefix : settings.allowed_ips) allowed_ips_.set(prefix, &peer);
  schedule_.add(peer);
  peer.timers.set_persistent_keepalive(settings.persistent_keepalive, now.mono);
  schedule_.update(peer);
}

void Tunnel::set_endpoint(const crypto::PublicKey& key, const Endpoint& endpoint, Now now) noexcept {
  const auto found = peers_.find(key);
  if (found == peers_.end() || found->second->endpoint == endpoint) return;
  Peer& peer = *found->second;
  peer.endpoint = endpoint;
  peer.forget_local_address();
  peer.timers.hasten_persistent_keepalive(now.mono);
  schedule_.update(peer);
}

std::vector<PeerStatus> Tunnel::peers() const {
  std::map<const Peer*, std::vector<Prefix>> prefixes;
  allowed_ips_.for_each([&](const Prefix& prefix, Peer* peer) { prefixes[peer].push_back(prefix); });
  std::vector<PeerStatus> all;
  for (const auto& [key, peer] : peers_) {
    all.push_back({.public_key = key,
                   .endpoint = peer->endpoint,
                   .allowed_ips = prefixes[peer.get()],
                   .last_handshake = peer->last_handshake_complete,
                   .received_bytes = peer->received_bytes,
                   .sent_bytes = peer->sent_bytes,
                   .persistent_keepalive = peer->timers.persistent_keepalive(),
                   .handshake_attempts = peer->timers.attempts()});
  }
  return all;
}

void Tunnel::tick(Now now, Datagrams& out) noexcept {
  while (Peer* peer = schedule_.due(now.mono)) {
    act_on_timers(*peer, now, out);
    seal_framed();
    schedule_.update(*peer);
  }
  settle();
}

void Tunnel::act_on_timers(Peer& peer, Now now, Datagrams& out) noexcept {
  const Timers::Due due = peer.timers.due(now.mono);
  // Nothing came back: perhaps because of the address we send from.
  if (due.retransmit_handshake || due.new_handshake) peer.forget_local_address();
  if (due.zero_key_material) forget_keys(peer);
  if (due.give_up_handshake) {
    purge_staged(peer);
    report(Event::Kind::kHandshakeGivenUp, peer);
  }
  if (due.retransmit_handshake) {
    report(Event::Kind::kHandshakeRetried, peer);
    send_initiation(peer, now, out);
  }
  if (due.new_handshake) start_handshake(peer, now, out);
  if (due.send_keepalive) send_keepalive(peer, now, out);
}

void Tunnel::forget_keys(Peer& peer) noexcept {
  if (peer.handshake.local_index() != 0) indices_.give_back(peer.handshake.local_index());
  peer.handshake.clear();
  give_back(peer.keypairs.clear());
}

void Tunnel::give_back(const Keypairs::Ended& ended) noexcept {
  for (const uint32_t index : ended) indices_.give_back(index);
}

void Tunnel::purge_staged(Peer& peer) noexcept {
  drops_.count(Drop::kStagePurged, peer.staged.size());
  peer.staged.clear();
}

/// Packets that wait must not use up the buffers that everybody's traffic and handshakes need.
void Tunnel::shed_staged(Peer& peer) noexcept {
  while (!peer.staged.empty() && pool_.available() < pool_.slots() / 4) {
    peer.staged.erase(peer.staged.begin());
    drops_.count(Drop::kStageFull);
  }
}

void Tunnel::touch(Peer& peer) noexcept {
  if (peer.touched) return;
  peer.touched = true;
  touched_.push_back(&peer);
}

/// Brings the schedule up to date for every peer that something happened to.
void Tunnel::settle() noexcept {
  for (Peer* peer : touched_) {
    peer->touched = false;
    schedule_.update(*peer);
  }
  touched_.clear();
}

void Tunnel::report(Event::Kind kind, const Peer& peer) noexcept {
  events_.push_back({kind, peer.public_key, peer.endpoint});
}

}  // namespace adit::tunnel
