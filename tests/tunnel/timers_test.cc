// The five timers by themselves, then keepalives between two tunnels.  Handshakes and sessions over time are in
// handshake_test.cc and session_test.cc.
#include "tunnel/timers.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

constexpr Time kStart{seconds(100)};
constexpr Duration kJitter = milliseconds(333);

bool nothing(const Timers::Due& due) {
  return !due.retransmit_handshake && !due.give_up_handshake && !due.send_keepalive && !due.new_handshake &&
         !due.zero_key_material;
}

TEST(Timers, NothingIsDueBeforeAnythingHappened) {
  Timers timers;
  EXPECT_EQ(timers.deadline(), kNever);
  EXPECT_TRUE(nothing(timers.due(kStart)));
}

TEST(Timers, NothingIsDueBeforeTheDeadlineAndSomethingAtIt) {
  Timers timers;
  timers.data_received(kStart);
  timers.session_derived(kStart);
  timers.initiation_sent(kStart);
  timers.data_sent(kStart);
  while (timers.deadline() != kNever) {
    const Time deadline = timers.deadline();
    EXPECT_TRUE(nothing(timers.due(deadline - nanoseconds(1))));
    EXPECT_EQ(timers.deadline(), deadline);
    EXPECT_FALSE(nothing(timers.due(deadline)));
    EXPECT_GT(timers.deadline(), deadline);
  }
}

TEST(Timers, AnInitiationIsRepeatedAfterFiveSecondsAndAThirdOfASecondAtMost) {
  std::set<Time> deadlines;
  for (int i = 0; i < 2000; ++i) {
    Timers timers;
    timers.initiation_sent(kStart);
    deadlines.insert(timers.deadline());
  }
  EXPECT_GE(*deadlines.begin(), kStart + seconds(5));
  EXPECT_LE(*deadlines.rbegin(), kStart + seconds(5) + kJitter);
  EXPECT_GT(*deadlines.rbegin() - *deadlines.begin(), milliseconds(250)) << "the jitter is spread";
  EXPECT_GT(deadlines.size(), 200u);
}

TEST(Timers, ANewHandshakeIsDueFifteenSecondsAfterTheFirstUnansweredData) {
  Timers timers;
  timers.data_sent(kStart);
  const Time deadline = timers.deadline();
  EXPECT_GE(deadline, kStart + seconds(15));
  EXPECT_LE(deadline, kStart + seconds(15) + kJitter);
  timers.data_sent(kStart + seconds(14));
  EXPECT_EQ(timers.deadline(), deadline) << "more data does not put it off";
  timers.any_authenticated_received();
  EXPECT_EQ(timers.deadline(), kNever);
}

TEST(Timers, ANewHandshakeIsPutOffByUpToAThirdOfASecondAtRandom) {
  std::set<Time> deadlines;
  for (int i = 0; i < 2000; ++i) {
    Timers timers;
    timers.data_sent(kStart);
    deadlines.insert(timers.deadline());
  }
  EXPECT_GE(*deadlines.begin(), kStart + seconds(15));
  EXPECT_LE(*deadlines.rbegin(), kStart + seconds(15) + kJitter);
  EXPECT_GT(*deadlines.rbegin() - *deadlines.begin(), milliseconds(250));
}

TEST(Timers, ANewHandshakeHasAllItsAttemptsBeforeIt) {
  Timers timers;
  timers.initiation_sent(kStart);
  EXPECT_TRUE(timers.due(kStart + seconds(6)).retransmit_handshake);
  EXPECT_EQ(timers.attempts(), 1u);
  timers.data_sent(kStart);
  EXPECT_TRUE(timers.due(kStart + seconds(16)).new_handshake);
  EXPECT_EQ(timers.attempts(), 0u);
}

TEST(Timers, KeysAreForgottenNineMinutesAfterTheLastSession) {
  Timers timers;
  timers.session_derived(kStart);
  timers.session_derived(kStart + seconds(100));
  EXPECT_EQ(timers.deadline(), kStart + seconds(640));
  EXPECT_TRUE(timers.due(kStart + seconds(640)).zero_key_material);
  EXPECT_EQ(timers.deadline(), kNever);
}

/// Lets an initiation go unanswered until it is given up, and says when that was.
Time give_up(Timers& timers, Time from) {
  timers.initiation_sent(from);
  for (Time now = from;; now += seconds(6)) {
    if (timers.due(now).give_up_handshake) return now;
  }
}

TEST(Timers, GivingUpForgetsTheKeysNineMinutesLaterUnlessThatIsDueAlready) {
  Timers timers;
  const Time given_up = give_up(timers, kStart);
  EXPECT_EQ(timers.deadline(), given_up + seconds(540));

  Timers with_session;
  with_session.session_derived(kStart);
  const Time then = give_up(with_session, kStart + seconds(100));
  ASSERT_LT(then, kStart + seconds(540));
  EXPECT_EQ(with_session.deadline(), kStart + seconds(540)) << "counted from the session";
}

TEST(Timers, GivingUpSendsNoKeepaliveEither) {
  Timers timers;
  timers.initiation_sent(kStart);
  Time now = kStart;
  while (timers.attempts() < 19) static_cast<void>(timers.due(now += seconds(6)));
  timers.data_received(now);
  const Timers::Due due = timers.due(now += seconds(6));
  EXPECT_TRUE(due.give_up_handshake);
  EXPECT_FALSE(due.retransmit_handshake);
  EXPECT_EQ(timers.deadline(), now + seconds(540));
}

TEST(Timers, DataWhileAKeepaliveWaitsAsksForOneMoreUnlessSomethingLeaves) {
  Timers timers;
  timers.data_received(kStart);
  timers.data_received(kStart + seconds(5));
  EXPECT_TRUE(timers.due(kStart + seconds(10)).send_keepalive);
  EXPECT_EQ(timers.deadline(), kStart + seconds(20));
  timers.any_authenticated_sent();
  EXPECT_EQ(timers.deadline(), kNever);
}

TEST(Timers, ACompletedHandshakeIsNotRepeated) {
  Timers timers;
  timers.initiation_sent(kStart);
  EXPECT_TRUE(timers.due(kStart + seconds(6)).retransmit_handshake);
  timers.initiation_sent(kStart + seconds(6));
  timers.handshake_complete();
  EXPECT_EQ(timers.deadline(), kNever);
  EXPECT_EQ(timers.attempts(), 0u);
}

TEST(Timers, PersistentKeepaliveStartsAtOnceAndIsPutOffByAnyTraffic) {
  Timers timers;
  timers.set_persistent_keepalive(seconds(25), kStart);
  EXPECT_EQ(timers.deadline(), kStart);
  EXPECT_TRUE(timers.due(kStart).send_keepalive);
  timers.any_authenticated_traversal(kStart + seconds(3));
  EXPECT_EQ(timers.deadline(), kStart + seconds(28));
  timers.set_persistent_keepalive(seconds(0), kStart);
  EXPECT_EQ(timers.deadline(), kNever);
  timers.any_authenticated_traversal(kStart + seconds(4));
  EXPECT_EQ(timers.deadline(), kNever);
}

// Between two tunnels.

/// When `side` sent its keepalives, in seconds since `since`.
std::vector<double> keepalive_times(const Wire& wire, const Side& side, Time since) {
  std::vector<double> times;
  for (const Wire::Sent& sent : wire.sent(side, MessageType::kData)) {
    if (sent.bytes.size() == 32) times.push_back(std::chrono::duration<double>(sent.at - since).count());
  }
  return times;
}
using Times = std::vector<double>;

TEST(Timers, DataIsConfirmedByAKeepaliveAfterTenSecondsOnce) {
  Wire wire;
  const Time start = wire.now.mono;
  wire.send(wire.a, 100);
  wire.advance(seconds(110));
  EXPECT_EQ(keepalive_times(wire, wire.b, start), Times{10});
  EXPECT_EQ(keepalive_times(wire, wire.a, start), Times{});
}

TEST(Timers, AnyNumberOfDataPacketsIsConfirmedByOneKeepalive) {
  Wire wire;
  const Time start = wire.now.mono;
  for (int i = 0; i < 8; ++i) {
    wire.send(wire.a, 100);
    wire.advance(seconds(1));
  }
  wire.advance(seconds(90));
  EXPECT_EQ(keepalive_times(wire, wire.b, start), Times{10});
}

TEST(Timers, DataInTheOtherDirectionConfirmsAsWell) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.advance(seconds(9));
  wire.send(wire.b, 100);
  wire.advance(seconds(9));
  EXPECT_EQ(wire.keepalives(wire.b), 0u);
  EXPECT_EQ(wire.keepalives(wire.a), 0u);
  wire.advance(seconds(90));
  EXPECT_EQ(wire.keepalives(wire.b), 0u);
  EXPECT_EQ(wire.keepalives(wire.a), 1u);
}

TEST(Timers, TheConfirmationIsTenSecondsAfterTheDataWheneverWeSentLast) {
  Wire wire;
  wire.send(wire.a, 100);
  for (const int since_sent : {1, 7, 10, 25}) {
    wire.send(wire.b, 100);
    wire.advance(seconds(since_sent));
    const Time arrived = wire.now.mono;
    wire.send(wire.a, 100);
    wire.forget();
    wire.advance(seconds(11));
    EXPECT_EQ(keepalive_times(wire, wire.b, arrived), Times{10}) << since_sent;
  }
}

// Two things that an initiation and a response do as well as data.

struct HandshakeAmongTimers : ::testing::Test {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  const Message packet = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 64);
  const Message answer = inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64);
};

TEST_F(HandshakeAmongTimers, AResponseConfirmsData) {
  ASSERT_TRUE(lone.greet(peer));
  lone.receive(peer.data(answer));
  lone.advance(seconds(5));
  lone.receive(peer.initiation());
  ASSERT_EQ(lone.replies_of(MessageType::kResponse), 1u);
  lone.advance(seconds(60));
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(HandshakeAmongTimers, AnInitiationConfirmsData) {
  ASSERT_TRUE(lone.answer(peer, packet));
  lone.advance(seconds(166));
  lone.receive(peer.data(answer));
  ASSERT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
  lone.advance(seconds(11));
  EXPECT_EQ(lone.replies_of(MessageType::kInitiation), 2u) << "repeated after five and ten seconds";
  EXPECT_EQ(lone.replies_of(MessageType::kData), 0u);
}

TEST_F(HandshakeAmongTimers, AnInitiationShowsThatThePeerLives) {
  ASSERT_TRUE(lone.greet(peer));
  lone.send({packet});
  lone.advance(seconds(10));
  lone.receive(peer.initiation());
  lone.advance(seconds(60));
  EXPECT_TRUE(lone.replies.empty()) << "no new handshake because of the data";
}

TEST_F(HandshakeAmongTimers, AResponseShowsThatThePeerLives) {
  ASSERT_TRUE(lone.answer(peer, packet));
  lone.receive(peer.keepalive());
  lone.advance(seconds(121));
  lone.send({packet});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.back()));
  lone.receive(peer.response());
  ASSERT_EQ(lone.replies_of(MessageType::kData), 1u);
  lone.advance(seconds(60));
  EXPECT_TRUE(lone.replies.empty()) << "no new handshake because of the data";
}

TEST(Timers, AKeepaliveDoesNotAnswerAKeepalive) {
  Wire wire({.keepalive_a = seconds(25)});
  wire.advance(seconds(100));
  EXPECT_GE(wire.keepalives(wire.a), 4u);
  EXPECT_EQ(wire.keepalives(wire.b), 0u);
}

TEST(Timers, PersistentKeepalivesAreSentAtTheirInterval) {
  Wire wire({.keepalive_a = seconds(25)});
  const Time start = wire.now.mono;
  wire.advance(seconds(110));
  EXPECT_EQ(wire.sent(wire.a, MessageType::kInitiation).at(0).at, start);
  EXPECT_EQ(keepalive_times(wire, wire.a, start), (Times{0, 25, 50, 75, 100})) << "the first confirms the session";
}

TEST(Timers, NoPersistentKeepaliveWhileDataIsSent) {
  Wire wire({.keepalive_a = seconds(8)});  // less than it takes the other side to confirm
  wire.advance(seconds(0));
  wire.forget();
  for (int i = 0; i < 16; ++i) {
    wire.send(wire.a, 100);
    wire.advance(seconds(6));
  }
  EXPECT_EQ(wire.keepalives(wire.a), 0u);
}

TEST(Timers, NoPersistentKeepaliveWhileDataIsReceived) {
  Wire wire({.keepalive_a = seconds(8)});
  const Time start = wire.now.mono;
  wire.advance(seconds(0));
  wire.forget();
  for (int i = 0; i < 10; ++i) {
    wire.send(wire.b, 100);
    wire.advance(seconds(6));
  }
  EXPECT_EQ(keepalive_times(wire, wire.a, start), (Times{10, 22, 34, 46, 58})) << "passive ones only";
}

TEST(Timers, APersistentKeepaliveBeginsTheSessionAndEverAgain) {
  Wire wire({.keepalive_a = seconds(25)});
  wire.set_fate([](const Wire::Sent&) { return 0; });
  wire.advance(seconds(600));
  wire.set_fate(nullptr);
  wire.advance(seconds(60));
  EXPECT_NE(wire.status_of(wire.b).last_handshake, WallTime{}) << "never given up for good";
}

TEST(Timers, APersistentKeepaliveWaitsForAnEndpoint) {
  Wire wire({.a_knows_b = false, .keepalive_a = seconds(25)});
  wire.advance(seconds(100));
  EXPECT_TRUE(wire.log.empty());
  EXPECT_EQ(wire.a.tunnel->next_deadline(), kNever);
  wire.a.tunnel->set_endpoint(wire.b.tunnel->public_key(), wire.b.endpoint, wire.now);
  wire.advance(seconds(0));
  EXPECT_EQ(wire.keepalives(wire.a), 1u);
}

TEST(Timers, UnconfirmedKeepalivesDoNotBeginANewHandshake) {
  Wire wire({.keepalive_a = seconds(10)});
  wire.advance(seconds(119));
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 1u);
}

TEST(Timers, UnansweredDataBeginsANewHandshakeAfterFifteenSeconds) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.advance(seconds(30));
  wire.forget();
  wire.lose(1);
  const Time sent = wire.now.mono;
  wire.send(wire.a, 100);
  wire.advance(seconds(20));
  const auto initiations = wire.sent(wire.a, MessageType::kInitiation);
  ASSERT_EQ(initiations.size(), 1u);
  EXPECT_GE(initiations[0].at - sent, seconds(15));
  EXPECT_LE(initiations[0].at - sent, seconds(15) + kJitter);
}

TEST(Timers, AnIdleTunnelForgetsItsKeysAndHasNothingMoreToDo) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.advance(seconds(539));
  EXPECT_NE(wire.a.tunnel->next_deadline(), kNever);
  wire.advance(seconds(1));
  EXPECT_EQ(wire.a.tunnel->next_deadline(), kNever);
  EXPECT_EQ(wire.b.tunnel->next_deadline(), kNever);
  EXPECT_EQ(wire.log.size(), 4u) << "a handshake, the data and its confirmation";
}

TEST(Timers, TickBeforeTheDeadlineDoesNothing) {
  Wire wire({.b_knows_a = true, .keepalive_a = seconds(25)});
  wire.send(wire.b, 100);
  for (int i = 0; i < 60; ++i) {
    Side& side = wire.a.tunnel->next_deadline() < wire.b.tunnel->next_deadline() ? wire.a : wire.b;
    const Time deadline = side.tunnel->next_deadline();
    Outgoing out;
    side.tunnel->tick({deadline - nanoseconds(1), wire.now.wall}, out);
    ASSERT_TRUE(out.empty());
    ASSERT_EQ(side.tunnel->next_deadline(), deadline);
    wire.advance(deadline - wire.now.mono);
    ASSERT_GT(side.tunnel->next_deadline(), deadline);
  }
}

TEST(Timers, SuspendForAnHourNeedsOneNewHandshakeNoMore) {
  Wire wire({.b_knows_a = true, .keepalive_a = seconds(25)});
  wire.send(wire.a, 100);
  wire.forget();
  wire.jump(seconds(3600), seconds(3600));
  wire.advance(seconds(1));
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 1u);
  EXPECT_LE(wire.count(wire.b, MessageType::kInitiation), 1u);
  wire.advance(seconds(10));
  wire.send(wire.a, 100);
  wire.send(wire.b, 100);
  EXPECT_EQ(wire.a.received.size(), 1u);
  EXPECT_EQ(wire.b.received.size(), 2u);
}

TEST(Timers, AWallClockThatGoesBackStopsNothing) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.jump(seconds(0), -seconds(86400));
  for (int i = 0; i < 600; ++i) {
    wire.send(wire.a, 100);
    wire.advance(seconds(1));
  }
  EXPECT_EQ(wire.b.received.size(), 601u);
  EXPECT_EQ(wire.b.drops(Drop::kReplayedInitiation), 0u);
}

}  // namespace
}  // namespace adit::tunnel
