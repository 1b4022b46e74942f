// From datagrams to inner packets.  The functions stand in the order a datagram meets them.
//
// Two orders matter.  Handshakes of a batch come before its data, which may be the first of their session.  And the
// replay window is asked after authentication: a forged packet must not use up a counter.  By then the session may have
// ended, for other calls were made meanwhile.

#include "net/ecn.h"
#include "net/ip.h"
#include "tunnel/tunnel.h"

namespace adit::tunnel {
namespace {

bool has_size_of_type(ConstBytes message) noexcept {
  switch (static_cast<MessageType>(message[0])) {
    case MessageType::kInitiation:
      return message.size() == sizeof(InitiationMessage);
    case MessageType::kResponse:
      return message.size() == sizeof(ResponseMessage);
    case MessageType::kCookieReply:
      return message.size() == sizeof(CookieReplyMessage);
    case MessageType::kData:
      return message.size() >= kMinDataSize;
  }
  return false;
}

Drop check_form(ConstBytes message) noexcept {
  if (message.size() < sizeof(WireU32)) return Drop::kBadLength;
  // The three bytes after the type are reserved and zero.
  const uint32_t type = load_le32(message.data());
  if (type < static_cast<uint32_t>(MessageType::kInitiation) || type > static_cast<uint32_t>(MessageType::kData)) {
    return Drop::kBadType;
  }
  return has_size_of_type(message) ? Drop::kNone : Drop::kBadLength;
}

bool is_data(ConstBytes message) noexcept { return message[0] == static_cast<uint8_t>(MessageType::kData); }

}  // namespace

void Tunnel::decapsulate(Incoming& incoming, Now now, Outgoing& replies) noexcept {
  for (Datagram& datagram : incoming.datagrams) {
    const Drop drop = classify(datagram, now, replies);
    if (drop != Drop::kNone) drops_.count(drop);
    if (drop != Drop::kNone || !is_data(datagram.packet.bytes())) datagram.packet = {};
  }
  find_sessions(incoming.datagrams);
  for (size_t i = 0; i < incoming.datagrams.size(); ++i) {
    if (incoming.datagrams[i].packet) collect(incoming.datagrams[i], found_[i], now, incoming);
  }
  settle();
}

Drop Tunnel::classify(Datagram& datagram, Now now, Outgoing& replies) noexcept {
  const ConstBytes message = datagram.packet.bytes();
  if (!up_) return Drop::kDown;
  if (const Drop drop = check_form(message); drop != Drop::kNone) return drop;
  return is_data(message) ? Drop::kNone : receive_handshake(datagram, now, replies);
}

/// `peer` is whose the receiver index is.
void Tunnel::collect(Datagram& datagram, const Peer* peer, Now now, Incoming& incoming) noexcept {
  const auto& header = message_in<DataHeader>(std::as_const(datagram.packet).bytes());
  const uint32_t receiver = get_u32(header.receiver);
  const uint64_t counter = load_le64(header.counter.data());
  const Keypair* keypair = peer == nullptr ? nullptr : peer->keypairs.find(receiver);
  if (keypair == nullptr) return drops_.count(Drop::kUnknownIndex);
  if (!keypair->may_receive(now.mono)) return drops_.count(Drop::kKeyExpired);

  const bool is_of_last_session = !incoming.arrivals_.empty() && incoming.arrivals_.back().session == keypair->serial;
  const auto* key = is_of_last_session ? incoming.jobs_.back().key : incoming.keys_.add(keypair->receiving);
  datagram.packet.pull_front(sizeof(DataHeader));
  incoming.jobs_.push_back({key, counter, datagram.packet.bytes(), false});
  incoming.arrivals_.push_back({&datagram, receiver, keypair->serial, counter});
}

void Tunnel::accept(Incoming& incoming, Now now, PacketBatch& inner, Outgoing& replies) noexcept {
  find_owners(incoming);
  for (size_t i = 0; i < incoming.arrivals_.size(); ++i) {
    accept(incoming.arrivals_[i], found_[i], incoming.jobs_[i].ok, now, inner, replies);
  }
  incoming.arrivals_.clear();
  incoming.jobs_.clear();
  incoming.datagrams.clear();
  settle();
}

/// `owner` is whose the inner packet's source is.
void Tunnel::accept(const Incoming::Arrival& arrival, const Peer* owner, bool authentic, Now now, PacketBatch& inner,
                    Outgoing& replies) noexcept {
  if (!authentic) return drops_.count(Drop::kForged);
  Peer* const known = indices_.find(arrival.receiver);
  Keypair* const known_keypair = known == nullptr ? nullptr : known->keypairs.find(arrival.receiver);
  if (known_keypair == nullptr || known_keypair->serial != arrival.session) return drops_.count(Drop::kUnknownIndex);
  Peer& peer = *known;
  Keypair& keypair = *known_keypair;
  if (!keypair.replay.accept(arrival.counter)) return drops_.count(Drop::kReplayed);

  Packet& packet = arrival.datagram->packet;
  learn_endpoint(peer, *arrival.datagram);
  if (peer.keypairs.received_with(&keypair)) {
    handshake_complete(peer, now);
    send_staged(peer, now, replies);
  }
  rekey_after_receiving(peer, now, replies);
  peer.authenticated_received(now.mono);
  touch(peer);

  const size_t received_bytes = sizeof(DataHeader) + packet.size();
  packet.trim_to(packet.size() - crypto::kTagSize);
  const bool is_keepalive = packet.size() == 0;
  if (!is_keepalive) {
    peer.timers.data_received(now.mono);
    if (const Drop drop = check_inner(owner == &peer, packet, arrival.datagram->tos); drop != Drop::kNone) {
      if (drop == Drop::kWrongSource) peer.trouble.wrong_source = source_of(packet.bytes());
      return drops_.count(drop);
    }
    inner.push_back(std::move(packet));
  }
  peer.received_bytes += received_bytes;
}

/// Shortly before a session we began is too old to receive with, a peer that still talks deserves a new one.
void Tunnel::rekey_after_receiving(Peer& peer, Now now, Outgoing& out) noexcept {
  constexpr Duration kLastMinute = kRejectAfterTime - kKeepaliveTimeout - kRekeyTimeout;
  Keypair* current = peer.keypairs.current();
  if (current == nullptr || !current->initiator || current->last_minute_rekey) return;
  if (current->age(now.mono) <= kLastMinute) return;
  current->last_minute_rekey = true;
  start_handshake(peer, now, out);
}

/// Takes off the padding, holds the sender to its allowed IPs, and hands on what routers on the way said of congestion.
Drop Tunnel::check_inner(bool may_be_source, Packet& packet, uint8_t outer_tos) noexcept {
  if (!source_of(packet.bytes())) return Drop::kNotIp;
  const std::optional<size_t> length = ip_length(packet.bytes());
  if (!length) return Drop::kBadIpLength;
  packet.trim_to(*length);
  if (!may_be_source) return Drop::kWrongSource;
  return adopt_outer_ecn(packet.bytes(), outer_tos) ? Drop::kNone : Drop::kBadEcn;
}

/// Whoever authenticates a packet is where its source says (paper 2.1).
void Tunnel::learn_endpoint(Peer& peer, const Datagram& from) noexcept {
  const bool moved = peer.endpoint != from.remote;
  if (moved) peer.forget_local_address();
  peer.learn_local_address(from.local);
  if (!moved) return;
  peer.endpoint = from.remote;
  report(Event::Kind::kEndpointMoved, peer);
}

}  // namespace adit::tunnel
