// Handshake messages, sent and received: what Noise (noise.h), macs (cookie.h) and timers (timers.h) mean together.

#include "tunnel/tunnel.h"

namespace adit::tunnel {

// Sending.

void Tunnel::start_handshake(Peer& peer, Now now, Outgoing& out) noexcept {
  peer.timers.restart_attempts();
  send_initiation(peer, now, out);
}

void Tunnel::send_initiation(Peer& peer, Now now, Outgoing& out) noexcept {
  if (!peer.endpoint || !identity_.has_key()) return;
  if (peer.last_handshake_sent && now.mono - *peer.last_handshake_sent < kRekeyTimeout) return;
  peer.last_handshake_sent = now.mono;
  peer.timers.initiation_sent(now.mono);
  touch(peer);

  Packet packet = new_message(sizeof(InitiationMessage));
  if (!packet) return;
  auto& message = message_in<InitiationMessage>(packet.bytes());
  const uint32_t index = renew_index(peer);
  if (!peer.handshake.create_initiation(identity_, index, timestamps_.next(now.wall), message)) {
    return indices_.give_back(index);
  }
  peer.cookies.add_macs(packet.bytes(), now.mono);
  peer.authenticated_sent(now.mono);
  peer.sent_bytes += packet.size();
  out.add({std::move(packet), *peer.endpoint, peer.local, kHandshakeTos});
}

void Tunnel::send_response(Peer& peer, Now now, Outgoing& out) noexcept {
  peer.last_handshake_sent = now.mono;
  Packet packet = new_message(sizeof(ResponseMessage));
  if (!packet) return;
  const uint32_t index = renew_index(peer);
  if (!peer.handshake.create_response(index, message_in<ResponseMessage>(packet.bytes()))) {
    return indices_.give_back(index);
  }
  peer.cookies.add_macs(packet.bytes(), now.mono);
  begin_session(peer, now);
  peer.authenticated_sent(now.mono);
  peer.sent_bytes += packet.size();
  out.add({std::move(packet), *peer.endpoint, peer.local, kHandshakeTos});
}

void Tunnel::send_cookie_reply(const Datagram& message, Now now, Outgoing& out) noexcept {
  Packet packet = new_message(sizeof(CookieReplyMessage));
  if (!packet) return;
  // Initiation and response have their sender's index at the same place.
  const uint32_t sender = load_le32(message.packet.data() + sizeof(WireU32));
  cookie_checker_.create_reply(message.packet.bytes(), sender, message.remote, now.mono,
                               message_in<CookieReplyMessage>(packet.bytes()));
  out.add({std::move(packet), message.remote, message.local});
}

// Receiving.

Drop Tunnel::receive_handshake(const Datagram& datagram, Now now, Outgoing& replies) noexcept {
  const auto type = static_cast<MessageType>(datagram.packet.data()[0]);
  if (type == MessageType::kCookieReply) return receive_cookie_reply(datagram, now);
  if (const Drop drop = admit_handshake(datagram, now, replies); drop != Drop::kNone) {
    if (drop == Drop::kBadMac && type == MessageType::kInitiation) {
      misdirected_ = {now.wall, datagram.remote, message_in<InitiationMessage>(datagram.packet.bytes())};
    }
    return drop;
  }
  if (type == MessageType::kInitiation) return receive_initiation(datagram, now, replies);
  return receive_response(datagram, now, replies);
}

/// Cheap checks before expensive ones (paper 5.3): nothing is computed for who does not know our key, and under load
/// nothing for who has not shown that it receives at its address.
Drop Tunnel::admit_handshake(const Datagram& datagram, Now now, Outgoing& replies) noexcept {
  const ConstBytes message = datagram.packet.bytes();
  const bool is_beyond_means =
      load_meter_.is_under_load(now.mono) && !CookieChecker::has_mac2(message) && !cookie_limit_.allow(now.mono);
  if (is_beyond_means) return Drop::kUnderLoad;
  if (!identity_.has_key() || !cookie_checker_.mac1_fits(message)) return Drop::kBadMac;
  if (!load_meter_.message_arrived(now.mono)) return Drop::kNone;
  if (!cookie_checker_.mac2_fits(message, datagram.remote, now.mono)) {
    send_cookie_reply(datagram, now, replies);
    return Drop::kUnderLoad;
  }
  return rate_limiter_.allow(datagram.remote.ip, now.mono) ? Drop::kNone : Drop::kRateLimited;
}

Drop Tunnel::receive_initiation(const Datagram& datagram, Now now, Outgoing& replies) noexcept {
  const auto& message = message_in<InitiationMessage>(datagram.packet.bytes());
  const std::optional<OpenedInitiation> opened = open_initiation(identity_, message);
  if (!opened) return Drop::kForgedHandshake;
  Peer* const known = find_peer(opened->remote_static);
  if (known == nullptr) {
    unknown_peer_ = {Drop::kUnknownPeer, now.wall, datagram.remote, opened->remote_static};
    return Drop::kUnknownPeer;
  }
  Peer& peer = *known;
  const Drop drop = peer.handshake.consume_initiation(identity_, *opened, message, now.mono);
  if (drop == Drop::kReplayedInitiation) note_old_initiation(peer, now);
  if (drop != Drop::kNone) return drop;

  if (peer.keypairs.next() != nullptr) {
    drops_.count(Drop::kUnconfirmed);
    ++peer.trouble.unconfirmed;
  }
  learn_endpoint(peer, datagram);
  send_response(peer, now, replies);
  peer.authenticated_received(now.mono);
  peer.received_bytes += datagram.packet.size();
  touch(peer);
  return Drop::kNone;
}

Drop Tunnel::receive_response(const Datagram& datagram, Now now, Outgoing& replies) noexcept {
  const auto& message = message_in<ResponseMessage>(datagram.packet.bytes());
  const uint32_t receiver = get_u32(message.receiver);
  Peer* peer = indices_.find(receiver);
  if (peer == nullptr || peer->handshake.local_index() != receiver) return Drop::kUnknownIndex;
  if (!peer->handshake.consume_response(identity_, message)) {
    ++peer->trouble.forged_responses;
    return Drop::kForgedHandshake;
  }

  learn_endpoint(*peer, datagram);
  peer->authenticated_received(now.mono);
  peer->received_bytes += datagram.packet.size();
  begin_session(*peer, now);
  handshake_complete(*peer, now);
  send_keepalive(*peer, now, replies);  // or what is staged: either way the peer learns that we have the keys
  return Drop::kNone;
}

Drop Tunnel::receive_cookie_reply(const Datagram& datagram, Now now) noexcept {
  const auto& message = message_in<CookieReplyMessage>(datagram.packet.bytes());
  Peer* peer = indices_.find(get_u32(message.receiver));
  if (peer == nullptr) return Drop::kUnknownIndex;
  // Not authenticated by the peer's static key: no timer, no endpoint, no byte counter may change for it.
  return peer->cookies.consume_reply(message, now.mono) ? Drop::kNone : Drop::kBadCookie;
}

// What both have in common.

void Tunnel::begin_session(Peer& peer, Now now) noexcept {
  Keypairs::Slot fresh = peer.handshake.begin_session(now.mono);
  if (!fresh) return;
  fresh->serial = ++sessions_begun_;
  const bool initiator = fresh->initiator;
  give_back(initiator ? peer.keypairs.add_as_initiator(std::move(fresh))
                      : peer.keypairs.add_as_responder(std::move(fresh)));
  peer.timers.session_derived(now.mono);
}

void Tunnel::handshake_complete(Peer& peer, Now now) noexcept {
  peer.timers.handshake_complete();
  peer.last_handshake_complete = now.wall;
  peer.trouble = {};
  report(Event::Kind::kHandshakeComplete, peer);
  touch(peer);
}

/// Not of one that came twice: networks do that.
void Tunnel::note_old_initiation(Peer& peer, Now now) noexcept {
  const std::optional<Timestamp>& refused = peer.handshake.refused_timestamp();
  if (!refused) return;
  peer.trouble.old_initiation = {now.wall, time_of(*refused), time_of(peer.handshake.last_timestamp())};
}

/// A peer has one handshake at a time, and one index for it.
uint32_t Tunnel::renew_index(Peer& peer) noexcept {
  if (peer.handshake.local_index() != 0) indices_.give_back(peer.handshake.local_index());
  return indices_.take(&peer);
}

Packet Tunnel::new_message(size_t size) noexcept {
  Packet packet = pool_.take();
  if (!packet) {
    drops_.count(Drop::kNoBuffer);
    return packet;
  }
  packet.push_back(size);
  return packet;
}

}  // namespace adit::tunnel
