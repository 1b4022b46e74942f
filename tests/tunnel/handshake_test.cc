// Handshakes between two tunnels over time: retransmission, giving up, limits.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

Wire::Fate nothing_arrives() {
  return [](const Wire::Sent&) { return 0; };
}

size_t count_events(const Side& side, Event::Kind kind) {
  return static_cast<size_t>(std::ranges::count(side.events, kind, &Event::kind));
}

TEST(Handshake, IsTriedTwentyTimesFiveSecondsApartAndGivenUp) {
  Wire wire;
  wire.set_fate(nothing_arrives());
  wire.send(wire.a, 100);
  wire.advance(seconds(600));
  const auto initiations = wire.sent(wire.a, MessageType::kInitiation);
  ASSERT_EQ(initiations.size(), 20u);
  for (size_t i = 1; i < initiations.size(); ++i) {
    const Duration gap = initiations[i].at - initiations[i - 1].at;
    EXPECT_GE(gap, seconds(5));
    EXPECT_LE(gap, seconds(5) + milliseconds(333));
    EXPECT_NE(initiations[i].bytes, initiations[i - 1].bytes) << "each is new";
  }
  EXPECT_EQ(wire.log.size(), 20u);
  EXPECT_EQ(count_events(wire.a, Event::Kind::kHandshakeGivenUp), 1u);
}

TEST(Handshake, GivingUpPurgesWhatWaitedAndForgetsTheKeysNineMinutesLater) {
  Wire wire;
  wire.set_fate(nothing_arrives());
  for (int i = 0; i < 3; ++i) wire.send(wire.a, 100);
  wire.advance(seconds(100));
  EXPECT_EQ(wire.a.drops(Drop::kStagePurged), 0u);
  Time given_up{};
  while (wire.a.drops(Drop::kStagePurged) == 0) {
    given_up = wire.a.tunnel->next_deadline();
    wire.advance(given_up - wire.now.mono);
  }
  EXPECT_EQ(wire.a.drops(Drop::kStagePurged), 3u);
  EXPECT_EQ(wire.a.tunnel->next_deadline(), given_up + seconds(540));
  wire.advance(seconds(540));
  EXPECT_EQ(wire.a.tunnel->next_deadline(), kNever);
}

TEST(Handshake, BeginsAnewWithTheNextPacketAfterItWasGivenUp) {
  Wire wire;
  wire.set_fate(nothing_arrives());
  wire.send(wire.a, 100);
  wire.advance(seconds(200));
  wire.set_fate(nullptr);
  wire.send(wire.a, 60);
  ASSERT_EQ(wire.b.received.size(), 1u);
  EXPECT_EQ(wire.b.received[0].size(), 60u);
}

TEST(Handshake, AnyRetransmissionThatArrivesIsGoodEnough) {
  Wire wire;
  wire.lose(7);
  wire.send(wire.a, 100);
  EXPECT_EQ(wire.status_of(wire.b).handshake_attempts, 0u);
  wire.advance(seconds(20));
  EXPECT_EQ(wire.status_of(wire.b).handshake_attempts, 3u);
  wire.advance(seconds(20));
  EXPECT_EQ(wire.b.received.size(), 1u);
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 8u);
  EXPECT_EQ(wire.status_of(wire.b).handshake_attempts, 0u);
}

TEST(Handshake, ALostResponseIsMadeUpForByTheNextInitiation) {
  Wire wire;
  wire.set_fate([lost = false](const Wire::Sent& sent) mutable {
    return sent.type == MessageType::kResponse && !std::exchange(lost, true) ? 0 : 1;
  });
  wire.send(wire.a, 100);
  EXPECT_TRUE(wire.b.received.empty());
  wire.advance(seconds(6));
  EXPECT_EQ(wire.b.received.size(), 1u);
  EXPECT_EQ(wire.b.drops(Drop::kUnconfirmed), 1u);
}

TEST(Handshake, PacketsThatWaitLeaveInOrderTheOldestOf128Dropped) {
  Wire wire;
  wire.lose(1);
  for (size_t i = 0; i < 200; ++i) wire.send(wire.a, 100 + i);
  wire.advance(seconds(6));
  ASSERT_EQ(wire.b.received.size(), 128u);
  for (size_t i = 0; i < 128; ++i) EXPECT_EQ(wire.b.received[i].size(), 172 + i);
  EXPECT_EQ(wire.a.drops(Drop::kStageFull), 72u);
}

TEST(Handshake, InitiationsAreFiveSecondsApartHoweverManyPacketsAskForOne) {
  Wire wire;
  wire.set_fate(nothing_arrives());
  for (int i = 0; i < 600; ++i) {
    wire.send(wire.a, 100);
    wire.advance(milliseconds(100));
  }
  const auto initiations = wire.sent(wire.a, MessageType::kInitiation);
  EXPECT_EQ(initiations.size(), 12u);
  for (size_t i = 1; i < initiations.size(); ++i) EXPECT_GE(initiations[i].at - initiations[i - 1].at, seconds(5));
}

TEST(Handshake, APacketGivesItAllItsAttemptsAgain) {
  Wire wire;
  wire.set_fate(nothing_arrives());
  wire.send(wire.a, 100);
  wire.advance(seconds(80));
  EXPECT_GT(wire.status_of(wire.b).handshake_attempts, 10u);
  wire.send(wire.a, 100);
  EXPECT_EQ(wire.status_of(wire.b).handshake_attempts, 0u) << "even if no initiation may leave yet";
  wire.advance(seconds(98));
  EXPECT_EQ(wire.a.drops(Drop::kStagePurged), 0u);
}

TEST(Handshake, AResponseCountsForTheFiveSecondsBetweenInitiations) {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  const Message packet = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 60);
  ASSERT_TRUE(lone.greet(peer, false));
  lone.send({packet});
  EXPECT_TRUE(lone.replies.empty()) << "the peer has not used the session yet";
  lone.advance(milliseconds(4999));
  lone.send({packet});
  EXPECT_TRUE(lone.replies.empty());
  lone.advance(milliseconds(1));
  lone.send({packet});
  EXPECT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
}

TEST(Handshake, ResponsesAreNotLimitedToOneInFiveSeconds) {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(lone.greet(peer)) << i;
    lone.advance(milliseconds(20));
  }
}

TEST(Handshake, BothSidesAtOnceComeToASession) {
  for (const Duration latency : {milliseconds(0), milliseconds(100), milliseconds(400)}) {
    Wire wire({.b_knows_a = true});
    wire.hold();
    wire.send(wire.a, 100);
    wire.send(wire.b, 100);
    wire.advance(latency);
    wire.release();
    wire.advance(seconds(30));
    EXPECT_EQ(wire.a.received.size(), 1u) << latency.count();
    EXPECT_EQ(wire.b.received.size(), 1u) << latency.count();
  }
}

TEST(Handshake, AnEarlierResponseDoesNotFitALaterInitiation) {
  Wire wire;
  wire.hold();
  wire.send(wire.a, 100);
  wire.release();  // to the end: session complete
  const auto response = wire.sent(wire.b, MessageType::kResponse).at(0);
  wire.inject(wire.a, wire.b.endpoint, response.bytes);
  EXPECT_EQ(wire.a.drops(Drop::kUnknownIndex), 1u) << "its index is the session's now";
  wire.advance(seconds(121));
  wire.lose(1);
  wire.send(wire.a, 100);  // data lost; the initiation after it goes on
  wire.inject(wire.a, wire.b.endpoint, response.bytes);
  EXPECT_EQ(wire.a.drops(Drop::kUnknownIndex), 2u);
}

TEST(Handshake, WithDifferentPresharedKeysNoDataFlows) {
  WireOptions options;
  options.psk_a = crypto::generate_preshared_key();
  Wire wire(options);
  wire.send(wire.a, 100);
  wire.advance(seconds(60));
  EXPECT_TRUE(wire.b.received.empty());
  EXPECT_GE(wire.a.drops(Drop::kForgedHandshake), 10u);
  EXPECT_GE(wire.b.drops(Drop::kUnconfirmed), 10u);
  EXPECT_EQ(wire.count(wire.a, MessageType::kData), 0u);
}

TEST(Handshake, TheSamePresharedKeyWorks) {
  WireOptions options;
  options.psk_a = options.psk_b = crypto::generate_preshared_key();
  Wire wire(options);
  wire.send(wire.a, 100);
  EXPECT_EQ(wire.b.received.size(), 1u);
}

TEST(Handshake, StatusTellsTheWallTimeOfItsCompletion) {
  Wire wire;
  EXPECT_EQ(wire.status_of(wire.b).last_handshake, WallTime{});
  const WallTime then = wire.now.wall;
  wire.send(wire.a, 100);
  wire.advance(seconds(60));
  EXPECT_EQ(wire.status_of(wire.b).last_handshake, then);
  EXPECT_EQ(wire.status_of(wire.a).last_handshake, then);
  EXPECT_EQ(count_events(wire.a, Event::Kind::kHandshakeComplete), 1u);
  EXPECT_EQ(count_events(wire.b, Event::Kind::kHandshakeComplete), 1u);
}

TEST(Handshake, APeerWithAKeyOfLowOrderCostsNothing) {
  LoneTunnel lone;
  PeerSettings settings;
  settings.endpoint = lone.endpoint;
  settings.allowed_ips = {*Prefix::parse("10.0.0.9/32")};
  lone.tunnel.add_peer(settings, lone.now);  // public key all zero
  lone.send({inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.9"), 60)});
  EXPECT_TRUE(lone.replies.empty());
  lone.advance(seconds(1000));
  EXPECT_TRUE(lone.replies.empty());
  EXPECT_EQ(lone.drops(Drop::kStagePurged), 1u);
  EXPECT_EQ(lone.tunnel.next_deadline(), kNever);
}

}  // namespace
}  // namespace adit::tunnel
