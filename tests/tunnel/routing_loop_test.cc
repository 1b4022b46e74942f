// The route to a peer's endpoint leads back into the tunnel: every datagram sent there comes in again as an inner
// packet.
#include <gtest/gtest.h>

#include "net/ip.h"
#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Message kPing = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 84);

/// As the kernel sends it.
Message as_packet(const Message& datagram, const Endpoint& to, uint16_t source_port = 51820) {
  PacketPool pool(1, 2048);
  Packet packet = pool.take();
  std::ranges::copy(datagram, packet.push_back(datagram.size()).begin());
  push_udp(packet, {*Ip::parse(to.ip.is_v4() ? "10.0.0.1" : "fd00::1"), source_port}, to);
  return {packet.bytes().begin(), packet.bytes().end()};
}

/// The first of two fragments, and the second.
std::pair<Message, Message> fragments_of(const Message& packet, bool v4) {
  const size_t headers = v4 ? kIpv4HeaderSize : kIpv6HeaderSize;
  constexpr ptrdiff_t kFirst = 64;
  const auto data = packet.begin() + static_cast<ptrdiff_t>(headers);
  const auto fragment = [&](auto begin, auto end, bool last) {
    Message part(packet.begin(), data);
    const auto place = static_cast<uint16_t>(begin - data);  // in units of eight, from the third bit on
    const auto more = static_cast<uint16_t>(last ? 0 : 1);
    if (v4) {
      store_be16(&part[6], static_cast<uint16_t>(place >> 3 | more << 13));
    } else {
      const uint8_t protocol = std::exchange(part[6], uint8_t{44});
      part.insert(part.end(), {protocol, 0, 0, 0, 1, 2, 3, 4});
      store_be16(&part[42], static_cast<uint16_t>(place | more));
    }
    part.insert(part.end(), begin, end);
    store_be16(&part[v4 ? 2 : 4], static_cast<uint16_t>(part.size() - (v4 ? 0 : kIpv6HeaderSize)));
    return part;
  };
  return {fragment(data, data + kFirst, false), fragment(data + kFirst, packet.end(), true)};
}

struct RoutingLoop : ::testing::TestWithParam<const char*> {
  void SetUp() override { lone.endpoint = *Endpoint::parse(GetParam()); }

  /// What comes back of what was sent last, dropped or not.
  bool is_dropped(const Message& packet) {
    const uint64_t before = lone.drops(Drop::kRoutingLoop);
    lone.send({packet});
    EXPECT_TRUE(lone.unreachable.empty());
    const bool counted = lone.drops(Drop::kRoutingLoop) == before + 1;
    EXPECT_EQ(lone.replies.empty(), counted);
    return counted;
  }
  bool is_dropped_on_return(size_t reply = 0) { return is_dropped(as_packet(lone.replies.at(reply), lone.endpoint)); }
  PaperPeer new_peer() { return lone.add_peer({"0.0.0.0/0", "::/0"}); }

  LoneTunnel lone;
};

TEST_P(RoutingLoop, EndsWithTheFirstDataMessageThatComesBack) {
  PaperPeer peer = new_peer();
  ASSERT_TRUE(lone.greet(peer));
  lone.send({kPing});
  EXPECT_TRUE(is_dropped_on_return());
  EXPECT_FALSE(is_dropped(kPing)) << "all else is sent";
}

TEST_P(RoutingLoop, IsKnownByTheSessionBeforeToo) {
  PaperPeer peer = new_peer();
  ASSERT_TRUE(lone.greet(peer));
  lone.send({kPing});
  const std::vector<Message> old = lone.replies;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer));
  lone.replies = old;
  EXPECT_TRUE(is_dropped_on_return());
}

TEST_P(RoutingLoop, LetsNoHandshakeMessagesWaitForTheSession) {
  PaperPeer peer = new_peer();
  lone.send({kPing});
  ASSERT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
  const Message initiation = lone.replies[0];
  EXPECT_TRUE(is_dropped_on_return());
  ASSERT_TRUE(peer.consume_initiation(initiation));
  lone.receive(peer.response());
  ASSERT_EQ(lone.replies.size(), 1u) << "the ping alone has waited";
  EXPECT_TRUE(peer.open(lone.replies[0]));

  lone.advance(seconds(1));
  lone.receive(peer.initiation());
  ASSERT_EQ(lone.replies_of(MessageType::kResponse), 1u);
  EXPECT_TRUE(is_dropped_on_return());
}

TEST_P(RoutingLoop, IsKnownByTheFirstFragment) {
  PaperPeer peer = new_peer();
  ASSERT_TRUE(lone.greet(peer));
  lone.send({kPing});
  const auto [first, second] = fragments_of(as_packet(lone.replies.at(0), lone.endpoint), lone.endpoint.ip.is_v4());
  EXPECT_TRUE(is_dropped(first));
  EXPECT_FALSE(is_dropped(second));
  EXPECT_TRUE(is_dropped_on_return()) << "what became of the second";
}

TEST_P(RoutingLoop, IsNotSeenInOthersTrafficToTheSameServer) {
  PaperPeer peer = new_peer();
  ASSERT_TRUE(lone.greet(peer));
  lone.send({kPing});
  const Message own = lone.replies.at(0);

  // Another client of the same server, behind us, from the same port.
  for (const uint8_t type : std::array<uint8_t, 4>{1, 2, 3, 4}) {
    Message others = own;
    others[0] = type;
    others[4] ^= 1;
    EXPECT_FALSE(is_dropped(as_packet(others, lone.endpoint)));
  }
  Endpoint elsewhere = lone.endpoint;
  ++elsewhere.port;
  EXPECT_FALSE(is_dropped(as_packet(own, elsewhere)));
  elsewhere = *Endpoint::parse(lone.endpoint.ip.is_v4() ? "198.51.100.8:4000" : "[2001:db8::8]:4000");
  EXPECT_FALSE(is_dropped(as_packet(own, elsewhere)));
  for (size_t size = 0; size < 8; ++size) {
    EXPECT_FALSE(
        is_dropped(as_packet(Message(own.begin(), own.begin() + static_cast<ptrdiff_t>(size)), lone.endpoint)));
  }
}

INSTANTIATE_TEST_SUITE_P(BothIpVersions, RoutingLoop, ::testing::Values("198.51.100.7:4000", "[2001:db8::7]:4000"));

}  // namespace
}  // namespace adit::tunnel
