// From datagrams to inner packets: what is refused, under which name, and what it must not change.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Ip kOurs = *Ip::parse("10.0.0.1");
const Ip kTheirs = *Ip::parse("10.0.0.2");
const Endpoint kElsewhere = *Endpoint::parse("203.0.113.99:9");

struct Decapsulate : ::testing::Test {
  Message from(const char* source, size_t size = 64) const {
    const Ip ip = *Ip::parse(source);
    return inner_packet(ip, ip.is_v4() ? kOurs : *Ip::parse("fd00::1"), size);
  }

  /// The datagram, from a foreign address, is one counted drop and changes nothing that can be seen.
  void expect_refused(const Message& message, std::initializer_list<Drop> reasons, const std::string& what) {
    const uint64_t total = lone.tunnel.drops().total();
    uint64_t named = 0;
    for (const Drop reason : reasons) named -= lone.drops(reason);
    const PeerStatus before = lone.status(peer);
    const Time deadline = lone.tunnel.next_deadline();
    lone.receive(message, kElsewhere);
    for (const Drop reason : reasons) named += lone.drops(reason);
    const PeerStatus after = lone.status(peer);
    EXPECT_EQ(lone.tunnel.drops().total(), total + 1) << what;
    EXPECT_EQ(named, 1u) << what;
    EXPECT_TRUE(lone.inner.empty() && lone.replies.empty()) << what;
    EXPECT_EQ(after.endpoint, before.endpoint) << what;
    EXPECT_EQ(after.received_bytes, before.received_bytes) << what;
    EXPECT_EQ(after.sent_bytes, before.sent_bytes) << what;
    EXPECT_EQ(after.last_handshake, before.last_handshake) << what;
    EXPECT_EQ(lone.tunnel.next_deadline(), deadline) << what;
  }

  /// Every flip of one bit in [begin, end) of the message is refused.
  void expect_all_flips_refused(const Message& message, size_t begin, size_t end, std::initializer_list<Drop> reasons,
                                PaperPeer* signer = nullptr) {
    for (size_t bit = begin * 8; bit < end * 8 && !HasFailure(); ++bit) {
      Message flipped = message;
      flipped[bit / 8] ^= static_cast<uint8_t>(1 << bit % 8);
      if (signer != nullptr) signer->sign(flipped);
      expect_refused(flipped, reasons, "bit " + std::to_string(bit));
      lone.now.mono += milliseconds(3);  // not a flood
    }
  }

  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32", "fd00::2/128"});
};

TEST_F(Decapsulate, WhatIsNoWireGuardMessageIsRefused) {
  for (const size_t size : {0u, 1u, 2u, 3u}) expect_refused(Message(size, 4), {Drop::kBadLength}, "short");
  for (const size_t size : {4u, 32u, 64u, 92u, 148u, 1500u}) {
    for (const int type : {0, 5, 6, 16, 128, 255}) {
      Message message(size);
      message[0] = static_cast<uint8_t>(type);
      expect_refused(message, {Drop::kBadType}, "type " + std::to_string(type));
    }
  }
}

TEST_F(Decapsulate, EachTypeHasItsSize) {
  for (size_t size = 4; size < 300; ++size) {
    Message message(size);
    for (const size_t type : {1u, 2u, 3u, 4u}) {
      message[0] = static_cast<uint8_t>(type);
      const size_t fits = std::array<size_t, 5>{0, 148, 92, 64, size < 32 ? 32 : size}[type];
      if (size == fits) continue;
      expect_refused(message, {Drop::kBadLength}, std::to_string(type) + " of size " + std::to_string(size));
    }
  }
}

TEST_F(Decapsulate, EveryBitOfAnInitiationIsProtected) {
  const Message message = peer.initiation();
  expect_all_flips_refused(message, 0, 4, {Drop::kBadType, Drop::kBadLength});
  expect_all_flips_refused(message, 4, 132, {Drop::kBadMac});
  expect_all_flips_refused(message, 8, 116, {Drop::kForgedHandshake, Drop::kUnknownPeer}, &peer);
  lone.receive(message);
  EXPECT_EQ(lone.replies_of(MessageType::kResponse), 1u) << "the true one is still good";
}

TEST_F(Decapsulate, EveryBitOfAResponseIsProtected) {
  lone.send({inner_packet(kOurs, kTheirs, 64)});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  const Message message = peer.response();
  expect_all_flips_refused(message, 0, 4, {Drop::kBadType, Drop::kBadLength});
  expect_all_flips_refused(message, 4, 76, {Drop::kBadMac});
  expect_all_flips_refused(message, 8, 12, {Drop::kUnknownIndex}, &peer);
  expect_all_flips_refused(message, 12, 60, {Drop::kForgedHandshake}, &peer);
  lone.receive(message);
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_TRUE(peer.open(lone.replies[0]));
}

TEST_F(Decapsulate, EveryBitOfACookieReplyIsProtected) {
  lone.send({inner_packet(kOurs, kTheirs, 64)});
  const Message message = peer.cookie_reply(lone.replies.at(0), {1, 2});
  expect_all_flips_refused(message, 0, 4, {Drop::kBadType, Drop::kBadLength});
  expect_all_flips_refused(message, 4, 8, {Drop::kUnknownIndex});
  expect_all_flips_refused(message, 8, 64, {Drop::kBadCookie});
  lone.receive(message);
  expect_refused(message, {Drop::kBadCookie}, "once");
}

TEST_F(Decapsulate, EveryBitOfADataMessageIsProtected) {
  ASSERT_TRUE(lone.greet(peer));
  const Message message = peer.data(from("10.0.0.2"));
  expect_all_flips_refused(message, 0, 4, {Drop::kBadType, Drop::kBadLength});
  expect_all_flips_refused(message, 4, 8, {Drop::kUnknownIndex});
  expect_all_flips_refused(message, 8, message.size(), {Drop::kForged});
  lone.receive(message);
  EXPECT_EQ(lone.inner.size(), 1u);
}

TEST_F(Decapsulate, CutDataIsRefusedAtEveryLength) {
  ASSERT_TRUE(lone.greet(peer));
  const Message message = peer.data(from("10.0.0.2"));
  for (size_t size = 0; size < message.size(); ++size) {
    expect_refused({message.begin(), message.begin() + static_cast<ptrdiff_t>(size)},
                   {size < 32 ? Drop::kBadLength : Drop::kForged}, "cut to " + std::to_string(size));
  }
  Message longer = message;
  longer.push_back(0);
  expect_refused(longer, {Drop::kForged}, "one byte more");
}

TEST_F(Decapsulate, NothingIsTakenTwice) {
  const Message initiation = peer.initiation();
  lone.receive(initiation);
  ASSERT_TRUE(peer.consume_response(lone.replies.at(0)));
  lone.now.mono += seconds(1);
  expect_refused(initiation, {Drop::kReplayedInitiation}, "initiation");
  const Message data = peer.data(from("10.0.0.2"));
  lone.receive(data);
  EXPECT_EQ(lone.inner.size(), 1u);
  expect_refused(data, {Drop::kReplayed}, "data");
  const Message keepalive = peer.keepalive();
  lone.receive(keepalive);
  expect_refused(keepalive, {Drop::kReplayed}, "keepalive");
  const Message again = peer.data(from("10.0.0.2"));
  lone.receive({again, again, again});
  EXPECT_EQ(lone.inner.size(), 1u) << "nor within a batch";
}

TEST_F(Decapsulate, CountersBehindTheWindowOrAtTheLimitAreRefused) {
  ASSERT_TRUE(lone.greet(peer));
  lone.receive(peer.data(20'000, from("10.0.0.2")));
  ASSERT_EQ(lone.inner.size(), 1u);
  expect_refused(peer.data(20'000 - 8129, from("10.0.0.2")), {Drop::kReplayed}, "old");
  lone.receive(peer.data(20'000 - 8128, from("10.0.0.2")));
  EXPECT_EQ(lone.inner.size(), 1u);
  expect_refused(peer.data(UINT64_MAX - 8129, from("10.0.0.2")), {Drop::kReplayed}, "limit");
  lone.receive(peer.data(UINT64_MAX - 8130, from("10.0.0.2")));
  EXPECT_EQ(lone.inner.size(), 1u);
}

TEST_F(Decapsulate, AForgedCounterDoesNotMoveTheWindow) {
  ASSERT_TRUE(lone.greet(peer));
  Message forged = peer.data(1'000'000, from("10.0.0.2"));
  forged[20] ^= 1;
  expect_refused(forged, {Drop::kForged}, "forged");
  lone.receive(peer.data(from("10.0.0.2")));
  EXPECT_EQ(lone.inner.size(), 1u);
}

TEST_F(Decapsulate, AStrangersInitiationIsNotAnswered) {
  PaperPeer stranger(lone.tunnel.public_key());
  expect_refused(stranger.initiation(), {Drop::kUnknownPeer}, "stranger");
}

TEST_F(Decapsulate, AWholeBatchIsJudgedOneByOne) {
  ASSERT_TRUE(lone.greet(peer));
  Message forged = peer.data(from("10.0.0.2"));
  forged.back() ^= 1;
  const Message good = peer.data(from("10.0.0.2", 100));
  lone.receive({Message(3), forged, good, Message(200, 9), good, peer.keepalive(), peer.data(from("10.9.9.9"))});
  ASSERT_EQ(lone.inner.size(), 1u);
  EXPECT_EQ(lone.inner[0], from("10.0.0.2", 100));
  for (const Drop reason : {Drop::kBadLength, Drop::kForged, Drop::kBadType, Drop::kReplayed, Drop::kWrongSource}) {
    EXPECT_EQ(lone.drops(reason), 1u) << drop_name(reason);
  }
  EXPECT_EQ(lone.tunnel.drops().total(), 5u);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
}

// Endpoints.

TEST_F(Decapsulate, EveryAuthenticFreshMessageMovesTheEndpoint) {
  const auto endpoint = [&] { return lone.status(peer).endpoint->to_string(); };
  const auto at = [](const char* text) { return *Endpoint::parse(text); };
  lone.receive(peer.initiation(), at("192.0.2.50:1"));
  EXPECT_EQ(endpoint(), "192.0.2.50:1");
  EXPECT_EQ(lone.sent.at(0).remote, at("192.0.2.50:1"));
  ASSERT_TRUE(peer.consume_response(lone.replies.at(0)));
  lone.receive(peer.keepalive(), at("[2001:db8::1]:2"));
  EXPECT_EQ(endpoint(), "[2001:db8::1]:2");
  lone.receive(peer.data(from("10.0.0.2")), at("192.0.2.50:3"));
  EXPECT_EQ(endpoint(), "192.0.2.50:3");
  lone.receive(peer.data(from("10.66.0.2")), at("192.0.2.50:4"));
  EXPECT_EQ(endpoint(), "192.0.2.50:4") << "whatever its inner packet is worth";
  lone.send({inner_packet(kOurs, kTheirs, 64)});
  EXPECT_EQ(lone.sent.at(0).remote, at("192.0.2.50:4"));
  EXPECT_EQ(lone.tunnel.take_events().size(), 5u) << "four moves and a handshake";
}

TEST_F(Decapsulate, AResponseMovesTheEndpoint) {
  lone.send({inner_packet(kOurs, kTheirs, 64)});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  lone.receive(peer.response(), kElsewhere);
  EXPECT_EQ(lone.status(peer).endpoint, kElsewhere);
  EXPECT_EQ(lone.sent.at(0).remote, kElsewhere);
}

TEST_F(Decapsulate, WhenNothingReturnsTheKernelChoosesOurAddressAgain) {
  ASSERT_TRUE(lone.greet(peer));
  lone.send({inner_packet(kOurs, kTheirs, 64)});
  EXPECT_EQ(lone.sent.at(0).local.ip, lone.local);
  lone.advance(seconds(16));
  ASSERT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
  EXPECT_EQ(lone.sent.at(0).local, Local{});
}

TEST_F(Decapsulate, ARepeatedInitiationLetsTheKernelChooseOurAddressAgain) {
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(200));
  lone.send({inner_packet(kOurs, kTheirs, 64)});
  ASSERT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
  EXPECT_EQ(lone.sent.at(0).local.ip, lone.local);
  lone.advance(seconds(6));
  ASSERT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
  EXPECT_EQ(lone.sent.at(0).local, Local{});
}

}  // namespace
}  // namespace adit::tunnel
