// From inner packets to datagrams.  The functions stand in the order a packet meets them.

#include <algorithm>

#include "net/ecn.h"
#include "net/icmp.h"
#include "net/ip.h"
#include "tunnel/tunnel.h"

namespace adit::tunnel {
namespace {

/// Zeros up to a multiple of 16 hide the exact length, but a packet never grows beyond the MTU for it.
size_t padded_size(size_t length, size_t mtu) noexcept {
  const size_t limit = mtu == 0 ? SIZE_MAX : mtu;
  const size_t last = length > limit ? length % limit : length;
  const size_t aligned = (last + kPaddingMultiple - 1) / kPaddingMultiple * kPaddingMultiple;
  return length - last + std::min(limit, aligned);
}

}  // namespace

void Tunnel::encapsulate(PacketBatch& inner, Now now, Outgoing& out, PacketBatch& unreachable) noexcept {
  find_routes(inner);
  for (size_t i = 0; i < inner.size(); ++i) {
    const Drop drop = route(inner[i], found_[i]);
    if (drop != Drop::kNone) drops_.count(drop);
    if (drop == Drop::kNoRoute || drop == Drop::kNoEndpoint) refuse(std::move(inner[i]), now, unreachable);
  }
  inner.clear();
  for (Peer* peer : touched_) send_staged(*peer, now, out);
  settle();
}

/// Takes the packet, unless it is dropped.  `peer` is whose its destination is.
Drop Tunnel::route(Packet& packet, Peer* peer) noexcept {
  if (!up_) return Drop::kDown;
  const std::optional<Ip> destination = destination_of(packet.bytes());
  if (!destination) return Drop::kNotIp;
  if (peer == nullptr) return Drop::kNoRoute;
  if (!peer->endpoint) return Drop::kNoEndpoint;
  if (peer->endpoint->ip == *destination && is_own_message(*peer, packet.bytes())) return Drop::kRoutingLoop;
  peer->staged.push_back(std::move(packet));
  touch(*peer);
  return Drop::kNone;
}

/// Whether we have sent the peer this very packet, whose way led back in here, or would for ever.  Of fragments the
/// first says so; the others become a datagram each, which is known again.  Not addresses and ports tell, but the
/// index: who is behind us may speak to the same server, from the same port, through the tunnel.
bool Tunnel::is_own_message(const Peer& peer, ConstBytes packet) const noexcept {
  const ConstBytes udp = udp_start(packet);
  if (udp.size() < kUdpHeaderSize + 2 * sizeof(WireU32) || load_be16(&udp[2]) != peer.endpoint->port) return false;
  const ConstBytes message = udp.subspan(kUdpHeaderSize);
  const uint32_t index = load_le32(&message[sizeof(WireU32)]);
  const auto sent_on = [index](const Keypair* keypair) { return keypair != nullptr && keypair->remote_index == index; };
  switch (load_le32(message.data())) {
    case static_cast<uint32_t>(MessageType::kInitiation):
    case static_cast<uint32_t>(MessageType::kResponse):
      return indices_.find(index) == &peer;
    case static_cast<uint32_t>(MessageType::kData):
      return sent_on(peer.keypairs.current()) || sent_on(peer.keypairs.previous());
    default:
      return false;
  }
}

/// Tells the packet's sender that it leads nowhere, which ends an application's waiting.
void Tunnel::refuse(Packet packet, Now now, PacketBatch& unreachable) noexcept {
  if (!may_be_answered_with_error(packet.bytes()) || !error_limit_.allow(now.mono)) return;
  make_host_unreachable(packet);
  unreachable.push_back(std::move(packet));
}

void Tunnel::send_staged(Peer& peer, Now now, Outgoing& out) noexcept {
  if (peer.staged.empty()) return;
  Keypair* keypair = peer.keypairs.current();
  if (keypair == nullptr || !keypair->may_send(now.mono)) {
    keep_staged(peer);
    return start_handshake(peer, now, out);
  }

  const crypto::SymmetricKey* const kept = out.keep(keypair->sending);
  bool has_data = false;
  size_t framed = 0;
  for (; framed < peer.staged.size() && keypair->send_counter < kRejectAfterMessages; ++framed) {
    has_data |= peer.staged[framed].size() > 0;
    frame_data(peer, *keypair, std::move(peer.staged[framed]), kept, out);
  }
  peer.staged.erase(peer.staged.begin(), peer.staged.begin() + static_cast<ptrdiff_t>(framed));
  if (!peer.staged.empty()) keep_staged(peer);

  peer.authenticated_sent(now.mono);
  if (has_data) peer.timers.data_sent(now.mono);
  touch(peer);
  rekey_after_sending(peer, *keypair, now, out);
}

void Tunnel::frame_data(Peer& peer, Keypair& keypair, Packet packet, const crypto::SymmetricKey* kept,
                        Outgoing& out) noexcept {
  const uint8_t tos = ecn_of(packet.bytes());  // but no DSCP: it would tell what kind of traffic this is
  const size_t length = packet.size();
  std::ranges::fill(packet.push_back(padded_size(length, mtu_) - length), uint8_t{0});
  packet.push_back(crypto::kTagSize);
  const Bytes text_and_tag = packet.bytes();

  const uint64_t nonce = keypair.take_nonce();
  auto& header = message_in<DataHeader>(packet.push_front(sizeof(DataHeader)));
  put_type(header.type, MessageType::kData);
  put_u32(header.receiver, keypair.remote_index);
  store_le64(header.counter.data(), nonce);

  peer.sent_bytes += packet.size();
  out.add_data({std::move(packet), *peer.endpoint, peer.local, tos}, kept, nonce, text_and_tag);
}

void Tunnel::rekey_after_sending(Peer& peer, const Keypair& keypair, Now now, Outgoing& out) noexcept {
  const bool used_up = keypair.send_counter > kRekeyAfterMessages;
  const bool old = keypair.initiator && keypair.age(now.mono) > kRekeyAfterTime;
  if (used_up || old) start_handshake(peer, now, out);
}

void Tunnel::send_keepalive(Peer& peer, Now now, Outgoing& out) noexcept {
  if (!peer.endpoint) return;
  if (peer.staged.empty()) {
    Packet empty = pool_.take();
    if (!empty) return drops_.count(Drop::kNoBuffer);
    peer.staged.push_back(std::move(empty));
  }
  send_staged(peer, now, out);
}

}  // namespace adit::tunnel
