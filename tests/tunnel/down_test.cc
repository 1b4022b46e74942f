// An interface that goes down and comes up again.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Message kPacket = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 64);
const Message kAnswer = inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64);

struct Down : ::testing::Test {
  LoneTunnel lone;
  Tunnel& tunnel = lone.tunnel;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
};

TEST_F(Down, ANewTunnelIsUp) { EXPECT_TRUE(tunnel.is_up()); }

TEST_F(Down, PacketsAndDatagramsAreDropped) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_down();
  EXPECT_FALSE(tunnel.is_up());
  lone.send({kPacket, inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.9.9.9"), 64)});
  EXPECT_TRUE(lone.unreachable.empty());
  lone.receive({peer.initiation(), peer.data(kAnswer), Message{1, 2}});
  EXPECT_TRUE(lone.replies.empty());
  EXPECT_EQ(lone.drops(Drop::kDown), 5u);
  EXPECT_EQ(tunnel.drops().total(), 5u);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
}

TEST_F(Down, NoTimerActs) {
  ASSERT_TRUE(lone.greet(peer));
  lone.receive(peer.data(kAnswer));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(5), lone.now);
  tunnel.set_down();
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(6), lone.now);
  tunnel.set_endpoint(peer.public_key(), *Endpoint::parse("192.0.2.99:1"), lone.now);
  lone.send_staged(peer);
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  lone.now.mono += seconds(3600);
  Outgoing out;
  tunnel.tick(lone.now, out);
  EXPECT_TRUE(out.empty());
}

TEST_F(Down, PacketsThatWaitArePurged) {
  lone.send({kPacket, kPacket});
  lone.sent.clear();
  tunnel.set_down();
  EXPECT_EQ(lone.drops(Drop::kStagePurged), 2u);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
}

TEST_F(Down, SessionsAreForgotten) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_down();
  lone.up();
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  lone.send({kPacket});
  EXPECT_EQ(lone.replies.at(0).size(), 148u) << "at once, however short ago the last was";
}

TEST_F(Down, AHandshakeUnderWayIsForgotten) {
  lone.send({kPacket});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  tunnel.set_down();
  lone.up();
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  lone.receive(peer.response());
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
}

TEST_F(Down, AReplayedInitiationIsRefusedAfterwards) {
  const Message initiation = peer.initiation();
  lone.receive(initiation);
  ASSERT_EQ(lone.replies.size(), 1u);
  tunnel.set_down();
  lone.up();
  lone.advance(seconds(1));
  lone.receive(initiation);
  EXPECT_EQ(lone.drops(Drop::kReplayedInitiation), 1u);
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(Down, ACookieIsStillGoodAfterwards) {
  const PaperPeer::Mac cookie = {4, 5, 6};
  lone.send({kPacket});
  lone.receive(peer.cookie_reply(lone.replies.at(0), cookie));
  tunnel.set_down();
  lone.up();
  lone.send({kPacket});
  const ConstBytes initiation = lone.replies.at(0);
  const crypto::Mac mac2 = crypto::blake2s_mac(cookie, {initiation.first(132)});
  EXPECT_TRUE(std::equal(mac2.begin(), mac2.end(), initiation.begin() + 132));
}

TEST_F(Down, CountersEndpointAndTimeOfTheLastHandshakeAreKept) {
  ASSERT_TRUE(lone.greet(peer));
  const PeerStatus before = lone.status(peer);
  tunnel.set_down();
  const PeerStatus after = lone.status(peer);
  EXPECT_NE(after.last_handshake, WallTime{});
  EXPECT_EQ(after.last_handshake, before.last_handshake);
  EXPECT_EQ(after.received_bytes, before.received_bytes);
  EXPECT_EQ(after.sent_bytes, before.sent_bytes);
  EXPECT_EQ(after.endpoint, before.endpoint);
}

TEST_F(Down, ComingUpSendsPersistentKeepalivesAtOnce) {
  lone.add_peer({"10.0.0.3/32"});
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(25), lone.now);
  lone.advance(seconds(0));
  tunnel.set_down();
  lone.now.mono += seconds(3);
  lone.up();
  EXPECT_TRUE(tunnel.is_up());
  ASSERT_EQ(lone.replies.size(), 1u) << "the other peer has none";
  EXPECT_TRUE(peer.consume_initiation(lone.replies[0])) << "a keepalive needs a session first";
  lone.receive(peer.response());
  EXPECT_EQ(peer.open(lone.replies.at(0)), Message{});
}

TEST_F(Down, ComingUpTwiceDoesNothingMore) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(25), lone.now);
  lone.advance(seconds(0));
  lone.up();
  EXPECT_TRUE(lone.replies.empty());
  lone.send({kPacket});
  EXPECT_TRUE(peer.open(lone.replies.at(0)));
}

}  // namespace
}  // namespace adit::tunnel
