// The outer header's traffic class: what leaves with which, and what the one that arrives does to the inner packet.
#include <gtest/gtest.h>

#include "net/ecn.h"
#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

constexpr uint8_t kNotCapable = 0, kCapable1 = 1, kCapable0 = 2, kCongestion = 3;

struct TrafficClass : ::testing::Test {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32", "fd00::2/128"});

  static Message with_tos(Message packet, uint8_t tos) {
    packet[1] = packet[0] >> 4 == 4 ? tos : static_cast<uint8_t>(tos << 4 | (packet[1] & 0x0f));
    packet[0] = packet[0] >> 4 == 4 ? packet[0] : static_cast<uint8_t>(0x60 | tos >> 4);
    return packet;
  }
  static Message to_peer(bool v4, uint8_t tos) {
    const Ip from = *Ip::parse(v4 ? "10.0.0.1" : "fd00::1");
    return with_tos(inner_packet(from, *Ip::parse(v4 ? "10.0.0.2" : "fd00::2"), 64), tos);
  }
  static Message from_peer(bool v4, uint8_t tos) {
    const Ip from = *Ip::parse(v4 ? "10.0.0.2" : "fd00::2");
    return with_tos(inner_packet(from, *Ip::parse(v4 ? "10.0.0.1" : "fd00::1"), 64), tos);
  }
};

TEST_F(TrafficClass, OfDataIsTheInnerEcnAndNothingOfTheInnerDscp) {
  ASSERT_TRUE(lone.greet(peer));
  for (const bool v4 : {true, false}) {
    for (const uint8_t dscp : Message{0x00, 0xb8, 0xfc}) {
      for (const uint8_t ecn : {kNotCapable, kCapable1, kCapable0, kCongestion}) {
        const Message packet = to_peer(v4, dscp | ecn);
        lone.send({packet});
        EXPECT_EQ(lone.sent.at(0).tos, ecn);
        EXPECT_EQ(peer.open(lone.replies.at(0)), packet) << "the inner header stays as it is";
      }
    }
  }
}

TEST_F(TrafficClass, IsEachPacketsOwnInABatchAndAfterWaiting) {
  lone.send({to_peer(true, kCapable0), to_peer(true, kNotCapable), to_peer(false, kCapable1)});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  lone.receive(peer.response());
  ASSERT_EQ(lone.sent.size(), 3u);
  EXPECT_EQ(lone.sent[0].tos, kCapable0);
  EXPECT_EQ(lone.sent[1].tos, kNotCapable);
  EXPECT_EQ(lone.sent[2].tos, kCapable1);
}

TEST_F(TrafficClass, OfHandshakesIsAf41AndOfKeepalivesNone) {
  lone.send({to_peer(true, kCapable0)});
  EXPECT_EQ(lone.sent.at(0).tos, 0x88) << "initiation";
  lone.receive(peer.initiation());
  EXPECT_EQ(lone.sent.at(0).tos, 0x88) << "response";
  ASSERT_TRUE(peer.consume_response(lone.replies.at(0)));
  lone.receive(peer.data(from_peer(true, kCapable0)));
  lone.advance(seconds(10));
  ASSERT_EQ(lone.replies.at(0).size(), 32u);
  EXPECT_EQ(lone.sent.at(0).tos, 0);
}

TEST_F(TrafficClass, OfCookiesIsNone) {
  PaperPeer stranger(lone.tunnel.public_key());
  Message junk(148);
  junk[0] = 1;
  stranger.sign(junk);
  lone.tos = 0xff;
  lone.receive(std::vector<Message>(200, junk));
  ASSERT_FALSE(lone.sent.empty());
  EXPECT_EQ(lone.replies[0].size(), 64u);
  EXPECT_EQ(lone.sent[0].tos, 0);
}

TEST_F(TrafficClass, CongestionOnTheWayIsHandedToTheInnerPacket) {
  ASSERT_TRUE(lone.greet(peer));
  for (const bool v4 : {true, false}) {
    lone.tos = 0x88 | kCongestion;
    lone.receive(peer.data(from_peer(v4, 0xb8 | kCapable0)));
    ASSERT_EQ(lone.inner.size(), 1u);
    EXPECT_EQ(ecn_of(lone.inner[0]), kCongestion);
    lone.tos = 0x88 | kCapable0;
    lone.receive(peer.data(from_peer(v4, 0xb8 | kCapable0)));
    ASSERT_EQ(lone.inner.size(), 1u);
    EXPECT_EQ(lone.inner[0], from_peer(v4, 0xb8 | kCapable0));
  }
}

TEST_F(TrafficClass, CongestionThatTheInnerPacketCannotCarryDropsIt) {
  ASSERT_TRUE(lone.greet(peer));
  const uint64_t received = lone.status(peer).received_bytes;
  lone.tos = kCongestion;
  for (const bool v4 : {true, false}) lone.receive(peer.data(from_peer(v4, 0xb8)));
  EXPECT_TRUE(lone.inner.empty());
  EXPECT_EQ(lone.drops(Drop::kBadEcn), 2u);
  EXPECT_EQ(lone.status(peer).received_bytes, received);
  lone.receive(peer.keepalive());
  EXPECT_EQ(lone.tunnel.drops().total(), 2u) << "a keepalive has no inner packet";
}

}  // namespace
}  // namespace adit::tunnel
