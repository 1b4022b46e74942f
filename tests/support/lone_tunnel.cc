#include "tests/support/lone_tunnel.h"

#include <algorithm>

namespace adit::tunnel {

PaperPeer LoneTunnel::add_peer(std::initializer_list<const char*> allowed_ips, const PaperPeer::Key& preshared,
                               bool has_endpoint) {
  PaperPeer peer(tunnel.public_key(), preshared);
  PeerSettings settings;
  settings.public_key = peer.public_key();
  settings.preshared_key = crypto::PresharedKey(preshared);
  if (has_endpoint) settings.endpoint = endpoint;
  for (const char* prefix : allowed_ips) settings.allowed_ips.push_back(*Prefix::parse(prefix));
  tunnel.add_peer(settings, now);
  return peer;
}

Packet LoneTunnel::packet_with(ConstBytes bytes) {
  Packet packet = pool.take();
  std::ranges::copy(bytes, packet.push_back(bytes.size()).begin());
  return packet;
}

void LoneTunnel::keep_replies(Outgoing& out) {
  replies.clear();
  sent = std::move(out.sealed());
  for (const Datagram& datagram : sent) {
    const ConstBytes bytes = datagram.packet.bytes();
    replies.emplace_back(bytes.begin(), bytes.end());
  }
}

void LoneTunnel::receive(const std::vector<Message>& batch, const std::optional<Endpoint>& from) {
  Incoming incoming;
  for (const Message& message : batch) {
    incoming.datagrams.push_back({packet_with(message), from.value_or(endpoint), Local{local, interface}, tos});
  }
  PacketBatch packets;
  Outgoing out;
  tunnel.decapsulate(incoming, now, out);
  incoming.open();
  tunnel.accept(incoming, now, packets, out);
  inner.clear();
  for (const Packet& packet : std::as_const(packets)) inner.emplace_back(packet.bytes().begin(), packet.bytes().end());
  keep_replies(out);
}

void LoneTunnel::send(const std::vector<Message>& batch) {
  PacketBatch packets;
  for (const Message& message : batch) packets.push_back(packet_with(message));
  Outgoing out;
  PacketBatch errors;
  tunnel.encapsulate(packets, now, out, errors);
  unreachable.clear();
  for (const Packet& error : std::as_const(errors))
    unreachable.emplace_back(error.bytes().begin(), error.bytes().end());
  keep_replies(out);
}

void LoneTunnel::up() {
  Outgoing out;
  tunnel.set_up(now, out);
  keep_replies(out);
}

void LoneTunnel::send_staged(const PaperPeer& peer) {
  Outgoing out;
  tunnel.send_staged(peer.public_key(), now, out);
  keep_replies(out);
}

void LoneTunnel::advance(Duration duration) {
  const Now end{now.mono + duration, now.wall + duration};
  Outgoing out;
  while (tunnel.next_deadline() <= end.mono) {
    const Duration step = std::max(tunnel.next_deadline() - now.mono, Duration(0));
    now = {now.mono + step, now.wall + step};
    tunnel.tick(now, out);
  }
  now = end;
  keep_replies(out);
}

bool LoneTunnel::greet(PaperPeer& peer, bool confirm) {
  receive(peer.initiation());
  if (replies.size() != 1 || !peer.consume_response(replies[0])) return false;
  if (confirm) receive(peer.keepalive());
  return true;
}

bool LoneTunnel::answer(PaperPeer& peer, const Message& packet) {
  send({packet});
  if (replies.empty() || !peer.consume_initiation(replies.back())) return false;
  receive(peer.response());
  return replies.size() == 1 && peer.open(replies[0]).has_value();
}

PeerStatus LoneTunnel::status(const PaperPeer& peer) const {
  const std::vector<PeerStatus> all = tunnel.peers();
  return *std::ranges::find(all, peer.public_key(), &PeerStatus::public_key);
}

size_t LoneTunnel::replies_of(MessageType type) const {
  return static_cast<size_t>(
      std::ranges::count_if(replies, [type](const Message& each) { return each[0] == static_cast<uint8_t>(type); }));
}

}  // namespace adit::tunnel
