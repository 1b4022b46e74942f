#include "tests/support/wire.h"

#include <algorithm>

namespace adit::tunnel {
namespace {

const Ip kInnerA = *Ip::parse("10.0.0.1");
const Ip kInnerB = *Ip::parse("10.0.0.2");
const Endpoint kOuterA = *Endpoint::parse("192.0.2.1:51820");
const Endpoint kOuterB = *Endpoint::parse("198.51.100.2:51820");
constexpr WallTime kStartWall{seconds(1'700'000'000)};
constexpr Time kStart{seconds(1000)};

MessageType type_of(ConstBytes bytes) { return bytes.empty() ? MessageType{} : static_cast<MessageType>(bytes[0]); }

Packet packet_with(PacketPool& pool, ConstBytes bytes) {
  Packet packet = pool.take();
  std::ranges::copy(bytes, packet.push_back(bytes.size()).begin());
  return packet;
}

}  // namespace

std::vector<uint8_t> inner_packet(const Ip& source, const Ip& destination, size_t size) {
  const bool v4 = source.is_v4();
  std::vector<uint8_t> packet(std::max<size_t>(size, v4 ? 20 : 40));
  for (size_t i = 0; i < packet.size(); ++i) packet[i] = static_cast<uint8_t>(i * 7 + size);
  packet[0] = v4 ? 0x45 : 0x60;
  store_be16(&packet[v4 ? 2 : 4], static_cast<uint16_t>(packet.size() - (v4 ? 0 : 40)));
  std::ranges::copy(source.bytes(), packet.begin() + (v4 ? 12 : 8));
  std::ranges::copy(destination.bytes(), packet.begin() + (v4 ? 16 : 24));
  return packet;
}

Wire::Wire(WireOptions options) : now{kStart, kStartWall}, a("a", kOuterA, kInnerA), b("b", kOuterB, kInnerB) {
  make_tunnel(a, b, options.psk_a, options.a_knows_b, options.keepalive_a, options.mtu);
  make_tunnel(b, a, options.psk_b, options.b_knows_a, options.keepalive_b, options.mtu);
}

void Wire::make_tunnel(Side& side, const Side& peer, const crypto::PresharedKey& psk, bool knows, seconds keepalive,
                       uint16_t mtu) {
  side.tunnel = std::make_unique<Tunnel>(side.key, mtu, side.pool);
  PeerSettings settings;
  settings.public_key = Identity(peer.key).public_key;
  settings.preshared_key = psk;
  if (knows) settings.endpoint = peer.endpoint;
  settings.allowed_ips = {Prefix::of(peer.ip, 32)};
  settings.persistent_keepalive = keepalive;
  side.tunnel->add_peer(settings, now);
}

void Wire::send(Side& from, size_t size) { send_bytes(from, inner_packet(from.ip, other(from).ip, size)); }

void Wire::send_bytes(Side& from, ConstBytes packet) {
  PacketBatch batch;
  batch.push_back(packet_with(from.pool, packet));
  Outgoing out;
  PacketBatch unreachable;
  from.tunnel->encapsulate(batch, now, out, unreachable);
  take(from, out);
  pump();
}

void Wire::inject(Side& to, const Endpoint& from, ConstBytes bytes) {
  Incoming incoming;
  incoming.datagrams.push_back({packet_with(to.pool, bytes), from, Local{to.endpoint.ip, 1}});
  PacketBatch inner;
  Outgoing replies;
  to.tunnel->decapsulate(incoming, now, replies);
  incoming.open();
  to.tunnel->accept(incoming, now, inner, replies);
  for (const Packet& packet : inner) to.received.emplace_back(packet.bytes().begin(), packet.bytes().end());
  take(to, replies);
}

void Wire::take(Side& from, Outgoing& out) {
  for (const Datagram& datagram : out.sealed()) {
    const ConstBytes bytes = datagram.packet.bytes();
    Sent sent{now.mono, &from, type_of(bytes), {bytes.begin(), bytes.end()}};
    log.push_back(sent);
    in_flight_.push_back(std::move(sent));
  }
  for (Event& event : from.tunnel->take_events()) from.events.push_back(event);
}

void Wire::pump() {
  while (!held_ && !in_flight_.empty()) {
    const Sent sent = std::move(in_flight_.front());
    in_flight_.pop_front();
    arrive(sent);
  }
}

void Wire::arrive(const Sent& sent) {
  if (to_lose_ > 0) {
    --to_lose_;
    return;
  }
  const int times = fate_ ? fate_(sent) : 1;
  for (int i = 0; i < times; ++i) inject(other(*sent.from), sent.from->endpoint, sent.bytes);
}

void Wire::release() {
  held_ = false;
  pump();
}

void Wire::swap(size_t i, size_t j) { std::swap(in_flight_.at(i), in_flight_.at(j)); }

void Wire::lose(int count) { to_lose_ = count; }

void Wire::advance(Duration duration) {
  const Now end{now.mono + duration, now.wall + duration};
  for (;;) {
    const Time next = std::min(a.tunnel->next_deadline(), b.tunnel->next_deadline());
    if (next > end.mono) break;
    const Duration step = std::max(next - now.mono, Duration(0));
    now = {now.mono + step, now.wall + step};
    for (Side* side : {&a, &b}) {
      Outgoing out;
      side->tunnel->tick(now, out);
      take(*side, out);
    }
    pump();
  }
  now = end;
}

void Wire::jump(Duration mono, Duration wall) { now = {now.mono + mono, now.wall + wall}; }

std::vector<Wire::Sent> Wire::sent(const Side& from, MessageType type) const {
  std::vector<Sent> matching;
  std::ranges::copy_if(log, std::back_inserter(matching),
                       [&](const Sent& each) { return each.from == &from && each.type == type; });
  return matching;
}

size_t Wire::keepalives(const Side& from) const {
  return static_cast<size_t>(std::ranges::count_if(sent(from, MessageType::kData),
                                                   [](const Sent& each) { return each.bytes.size() == kMinDataSize; }));
}

PeerStatus Wire::status_of(const Side& peer) { return other(peer).tunnel->peers().front(); }

}  // namespace adit::tunnel
