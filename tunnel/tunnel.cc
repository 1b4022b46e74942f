#include "tunnel/tunnel.h"

#include <algorithm>

namespace adit::tunnel {
namespace {

/// An initiation costs some 0.2 ms.  When those of thousands of peers are due at once, packets are served in between,
/// and the pool has buffers for each.
constexpr size_t kPeersPerTick = 8;

}  // namespace

Tunnel::Tunnel(const crypto::PrivateKey& key, uint16_t mtu, PacketPool& pool)
    : identity_(key), mtu_(mtu), pool_(pool), cookie_checker_(identity_.public_key) {}

Tunnel::~Tunnel() = default;

void Tunnel::tick(Now now, Outgoing& out) noexcept {
  if (!up_) return;
  for (size_t peers = 0; peers < kPeersPerTick; ++peers) {
    Peer* const peer = schedule_.due(now.mono);
    if (peer == nullptr) break;
    act_on_timers(*peer, now, out);
    schedule_.update(*peer);
  }
  settle();
}

void Tunnel::act_on_timers(Peer& peer, Now now, Outgoing& out) noexcept {
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

/// What has to wait does so in our own buffers, and must not use up those that handshakes need.
void Tunnel::keep_staged(Peer& peer) noexcept {
  if (peer.staged.size() > kMaxStagedPackets) shed_staged(peer, peer.staged.size() - kMaxStagedPackets);
  for (Packet& packet : peer.staged) packet = pool_.adopt(std::move(packet));
  drops_.count(Drop::kNoBuffer, std::erase_if(peer.staged, [](const Packet& packet) { return !packet; }));
  const size_t wanted = pool_.slots() / 4;
  const size_t available = pool_.available();  // asked once: others give buffers back meanwhile
  if (available < wanted) shed_staged(peer, std::min(peer.staged.size(), wanted - available));
}

/// The oldest.
void Tunnel::shed_staged(Peer& peer, size_t count) noexcept {
  peer.staged.erase(peer.staged.begin(), peer.staged.begin() + static_cast<ptrdiff_t>(count));
  drops_.count(Drop::kStageFull, count);
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
    schedule_.hasten(*peer);
  }
  touched_.clear();
}

void Tunnel::report(Event::Kind kind, const Peer& peer) noexcept {
  events_.push_back({kind, peer.public_key, peer.endpoint});
}

}  // namespace adit::tunnel
