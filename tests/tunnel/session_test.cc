// Sessions over time: when they are renewed, when they end, and which of them speaks.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Ip kOurs = *Ip::parse("10.0.0.1");
const Ip kTheirs = *Ip::parse("10.0.0.2");

TEST(Session, TheInitiatorRenewsItWhenItSendsAfterTwoMinutes) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.advance(seconds(120) - milliseconds(1));
  wire.send(wire.a, 100);
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 1u);
  wire.advance(milliseconds(2));
  wire.send(wire.a, 100);
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 2u);
  EXPECT_EQ(wire.b.received.size(), 3u) << "meanwhile the old one serves";
}

TEST(Session, ItsKeepalivesRenewItAsWell) {
  Wire wire({.keepalive_a = seconds(25)});
  wire.advance(seconds(126));
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 2u);
}

TEST(Session, TheResponderDoesNotRenewItWhenItSends) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.forget();
  wire.set_fate([&](const Wire::Sent& sent) { return sent.from == &wire.b ? 0 : 1; });
  wire.advance(seconds(170));
  wire.send(wire.b, 100);
  EXPECT_EQ(wire.count(wire.b, MessageType::kInitiation), 0u);
  EXPECT_EQ(wire.count(wire.b, MessageType::kData), 2u);
}

TEST(Session, TheInitiatorRenewsItWhenItReceivesInItsLastSeconds) {
  for (const bool late : {false, true}) {
    Wire wire;
    wire.send(wire.a, 100);
    wire.advance(late ? seconds(165) + milliseconds(1) : seconds(165) - milliseconds(1));
    wire.send(wire.b, 100);
    EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), late ? 2u : 1u);
    EXPECT_EQ(wire.a.received.size(), 1u);
  }
}

TEST(Session, TheResponderDoesNotRenewItWhenItReceives) {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(179));
  lone.receive(peer.keepalive());
  EXPECT_EQ(lone.tunnel.drops().total(), 0u);
  EXPECT_TRUE(lone.replies.empty());
}

TEST(Session, ReceivingAsksForARenewalOnlyOnce) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.set_fate([&](const Wire::Sent& sent) { return sent.type == MessageType::kData ? 1 : 0; });
  wire.advance(seconds(165) + milliseconds(1));
  wire.send(wire.b, 100);
  wire.advance(seconds(6));
  ASSERT_EQ(wire.status_of(wire.b).handshake_attempts, 1u);
  wire.send(wire.b, 100);
  EXPECT_EQ(wire.a.received.size(), 2u);
  EXPECT_EQ(wire.status_of(wire.b).handshake_attempts, 1u) << "a new request would start counting again";
}

TEST(Session, ReceivingOnThePreviousOneAsksForTheRenewalOfTheCurrent) {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer, false));
  PaperPeer previous = peer;
  lone.advance(seconds(5));
  ASSERT_TRUE(lone.answer(peer, inner_packet(kOurs, kTheirs, 60)));
  lone.advance(seconds(166));
  lone.receive(previous.keepalive());
  EXPECT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
}

TEST(Session, TheResponderMustBeginANewOneWhenItIsTooOldToSend) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.advance(seconds(180) - milliseconds(1));
  wire.send(wire.b, 100);
  EXPECT_EQ(wire.count(wire.b, MessageType::kInitiation), 0u);
  EXPECT_EQ(wire.a.received.size(), 1u);

  Wire other;
  other.send(other.a, 100);
  other.advance(seconds(180));
  other.forget();
  other.send(other.b, 100);
  EXPECT_EQ(other.log.at(0).type, MessageType::kInitiation);
  EXPECT_EQ(other.a.received.size(), 1u) << "after a handshake";
}

TEST(Session, ItIsTooOldToReceiveAfterThreeMinutes) {
  for (const bool late : {false, true}) {
    Wire wire;
    wire.send(wire.a, 100);
    wire.advance(seconds(179));
    wire.hold();
    wire.send(wire.b, 100);
    wire.advance(late ? seconds(1) : milliseconds(999));
    wire.release();
    EXPECT_EQ(wire.a.received.size(), late ? 0u : 1u);
    EXPECT_EQ(wire.a.drops(Drop::kKeyExpired), late ? 1u : 0u);
  }
}

TEST(Session, TrafficGoesOnAfterAnyLengthOfSilence) {
  for (const int silence : {121, 179, 180, 181, 400, 539, 540, 541, 3600, 100'000}) {
    Wire wire;
    wire.send(wire.a, 100);
    wire.advance(seconds(silence));
    wire.send(wire.b, 100);
    wire.send(wire.a, 100);
    EXPECT_EQ(wire.a.received.size(), 1u) << silence;
    EXPECT_EQ(wire.b.received.size(), 2u) << silence;
  }
}

TEST(Session, ItsKeysAreForgottenAfterNineMinutes) {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(540) - milliseconds(1));
  lone.receive(peer.keepalive());
  EXPECT_EQ(lone.drops(Drop::kKeyExpired), 1u) << "known, but too old";
  lone.advance(milliseconds(1));
  lone.receive(peer.keepalive());
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u) << "not known any more";
}

TEST(Session, AHandshakeUnderWayIsForgottenWithTheKeys) {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(538));
  lone.send({inner_packet(kOurs, kTheirs, 60)});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  lone.advance(seconds(3));
  lone.receive(peer.response());
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  lone.advance(seconds(5));
  ASSERT_EQ(lone.replies.size(), 1u) << "the packet still waits, and another initiation goes out";
  ASSERT_TRUE(peer.consume_initiation(lone.replies[0]));
  lone.receive(peer.response());
  EXPECT_EQ(lone.replies.size(), 1u);
}

// Slots.

struct Slots : ::testing::Test {
  bool arrives(const Message& message) {
    lone.receive(message);
    return lone.inner.size() == 1;
  }
  /// A session that the tunnel begins because the peer does not answer.
  bool let_tunnel_begin() {
    lone.send({packet});
    lone.advance(seconds(16));
    if (lone.replies.empty() || !peer.consume_initiation(lone.replies.back())) return false;
    lone.receive(peer.response());
    return lone.replies.size() == 1 && peer.open(lone.replies[0]).has_value();
  }

  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  const Message packet = inner_packet(kOurs, kTheirs, 64);
  const Message answer = inner_packet(kTheirs, kOurs, 64);
};

TEST_F(Slots, TheResponderSendsNothingOnNewKeysBeforeTheirFirstData) {
  ASSERT_TRUE(lone.greet(peer));
  const PaperPeer old = peer;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer, false));
  lone.send({packet});
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_TRUE(old.open(lone.replies[0]));
  lone.receive(peer.keepalive());
  lone.send({packet});
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_TRUE(peer.open(lone.replies[0]));
}

TEST_F(Slots, FirstDataOnNewKeysSendsWhatWaited) {
  lone.send({packet, packet});  // the tunnel wants a session too
  ASSERT_TRUE(lone.greet(peer, false));
  lone.receive(peer.data(answer));
  EXPECT_EQ(lone.inner.size(), 1u);
  ASSERT_EQ(lone.replies.size(), 2u);
  EXPECT_EQ(peer.open(lone.replies[0]), packet);
}

TEST_F(Slots, ReplayedOrForgedDataDoesNotConfirmNewKeys) {
  ASSERT_TRUE(lone.greet(peer, false));
  Message forged = peer.data(7, answer);
  forged.back() ^= 1;
  lone.receive(forged);
  lone.receive(peer.data(UINT64_MAX, answer));
  EXPECT_EQ(lone.drops(Drop::kForged), 1u);
  EXPECT_EQ(lone.drops(Drop::kReplayed), 1u);
  EXPECT_EQ(lone.status(peer).last_handshake, WallTime{});
  lone.send({packet});
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(Slots, CurrentAndNextBothReceive) {
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer current = peer;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer, false));
  EXPECT_TRUE(arrives(current.data(answer)));
  EXPECT_TRUE(arrives(peer.data(answer)));
}

TEST_F(Slots, PreviousAndCurrentBothReceive) {
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer previous = peer;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer));
  EXPECT_TRUE(arrives(previous.data(answer)));
  EXPECT_TRUE(arrives(peer.data(answer)));
}

TEST_F(Slots, AnAnsweredHandshakeFreesThePreviousSession) {
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer first = peer;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer second = peer;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer, false));
  EXPECT_FALSE(arrives(first.data(answer)));
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  Message cookie_reply(64, 3);
  store_le32(&cookie_reply[0], 3);
  store_le32(&cookie_reply[4], first.remote_index);
  EXPECT_FALSE(arrives(cookie_reply));
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 2u) << "its index was given back";
  EXPECT_TRUE(arrives(second.data(answer)));
  EXPECT_TRUE(arrives(peer.data(answer)));
}

TEST_F(Slots, ASessionWeBeganKeepsTheUnconfirmedOneAndFreesTheOlder) {
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer current = peer;
  ASSERT_FALSE(lone.replies.size());
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer, false));
  PaperPeer next = peer;
  ASSERT_TRUE(let_tunnel_begin());
  EXPECT_FALSE(arrives(current.data(answer)));
  EXPECT_TRUE(arrives(next.data(answer)));
  EXPECT_TRUE(arrives(peer.data(answer)));
  lone.send({packet});
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_TRUE(peer.open(lone.replies[0])) << "late data on the older one does not make it current";
}

TEST_F(Slots, ABatchMayChangeSessionsUnderItsOwnData) {
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer previous = peer;
  lone.advance(seconds(1));
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer current = peer;
  lone.advance(seconds(1));
  const Message initiation = peer.initiation();
  lone.receive({previous.data(answer), current.data(answer), initiation, previous.data(answer), current.data(answer)});
  EXPECT_EQ(lone.inner.size(), 2u) << "handshakes go first, and this one freed the previous session";
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 2u);
  ASSERT_EQ(lone.replies.size(), 1u);
  ASSERT_TRUE(peer.consume_response(lone.replies[0]));

  lone.receive({current.data(answer), peer.data(answer), current.data(answer), peer.keepalive(), peer.data(answer)});
  EXPECT_EQ(lone.inner.size(), 4u);
}

TEST_F(Slots, AResponseAndAnInitiationMayShareABatchWithData) {
  ASSERT_TRUE(lone.greet(peer));
  PaperPeer old = peer;
  lone.send({packet});
  lone.advance(seconds(16));
  ASSERT_TRUE(peer.consume_initiation(lone.replies.back()));
  const Message response = peer.response();
  PaperPeer answered = peer;
  lone.receive({old.data(answer), answered.data(answer), response, peer.initiation(), answered.data(answer)});
  EXPECT_EQ(lone.replies.size(), 2u) << "a keepalive on the one, a response for the other";
  EXPECT_EQ(lone.inner.size(), 2u) << "the oldest session was previous, and freed";
  EXPECT_TRUE(answered.open(lone.replies[0]));
  EXPECT_TRUE(peer.consume_response(lone.replies[1]));
  EXPECT_TRUE(arrives(peer.data(answer)));
}

}  // namespace
}  // namespace adit::tunnel
