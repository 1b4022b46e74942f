#include "tunnel/cookie.h"

#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

constexpr Time kStart{seconds(1000)};
const Endpoint kFrom = *Endpoint::parse("203.0.113.5:1000");

// The two halves alone.

struct Cookie : ::testing::Test {
  Message initiation() { return paper.initiation(); }
  Message reply_to(const Message& message, const Endpoint& from, Time now) {
    Message reply(64);
    checker.create_reply(message, paper.index, from, now, message_in<CookieReplyMessage>(Bytes(reply)));
    return reply;
  }
  /// Asks for a cookie; later messages of the paper's peer carry it.
  bool obtain(const Endpoint& from, Time now) {
    paper.cookie.reset();
    return paper.consume_cookie_reply(reply_to(initiation(), from, now));
  }
  bool mac2_fits(const Endpoint& from, Time now) { return checker.mac2_fits(initiation(), from, now); }

  Identity us{crypto::generate_private_key()};
  CookieChecker checker{us.public_key};
  PaperPeer paper{us.public_key};
};

TEST_F(Cookie, Mac1IsTheOneOfThePaperAndCoversEveryByteBeforeIt) {
  Message message = initiation();
  EXPECT_TRUE(checker.mac1_fits(message));
  for (size_t i = 0; i < message.size() - 16; ++i) {
    message[i] ^= 1;
    EXPECT_FALSE(checker.mac1_fits(message)) << i;
    message[i] ^= 1;
  }
}

TEST_F(Cookie, Mac1IsForOneResponderOnly) {
  const CookieChecker other(Identity(crypto::generate_private_key()).public_key);
  EXPECT_FALSE(other.mac1_fits(initiation()));
}

TEST_F(Cookie, WithoutACookieMac2DoesNotFit) { EXPECT_FALSE(mac2_fits(kFrom, kStart)); }

TEST_F(Cookie, IsUnderstoodByAPeerWrittenFromThePaper) {
  ASSERT_TRUE(obtain(kFrom, kStart));
  EXPECT_TRUE(mac2_fits(kFrom, kStart));
  Message message = initiation();
  for (size_t i = 0; i < message.size(); ++i) {
    message[i] ^= 1;
    EXPECT_FALSE(checker.mac2_fits(message, kFrom, kStart)) << i;
    message[i] ^= 1;
  }
}

TEST_F(Cookie, BelongsToOneAddressAndPort) {
  for (const char* other :
       {"203.0.113.5:1001", "203.0.113.5:744", "203.0.113.5:59395", "203.0.113.6:1000", "[2001:db8::5]:1000"}) {
    ASSERT_TRUE(obtain(kFrom, kStart));
    EXPECT_FALSE(mac2_fits(*Endpoint::parse(other), kStart)) << other;
  }
  ASSERT_TRUE(obtain(*Endpoint::parse("[2001:db8::5]:1000"), kStart));
  EXPECT_TRUE(mac2_fits(*Endpoint::parse("[2001:db8::5]:1000"), kStart));
  EXPECT_FALSE(mac2_fits(*Endpoint::parse("[2001:db8::6]:1000"), kStart)) << "all 16 bytes count";
}

TEST_F(Cookie, SecretIsRenewedAfterTwoMinutes) {
  ASSERT_TRUE(obtain(kFrom, kStart));
  EXPECT_TRUE(mac2_fits(kFrom, kStart + seconds(119)));
  EXPECT_FALSE(mac2_fits(kFrom, kStart + seconds(121)));
  ASSERT_TRUE(obtain(kFrom, kStart + seconds(200)));
  EXPECT_TRUE(mac2_fits(kFrom, kStart + seconds(240))) << "renewed when needed: the new one counts from there";
  EXPECT_FALSE(mac2_fits(kFrom, kStart + seconds(242)));
}

TEST_F(Cookie, EveryReplyHasItsOwnNonce) {
  const Message message = initiation();
  EXPECT_NE(reply_to(message, kFrom, kStart), reply_to(message, kFrom, kStart));
}

/// The sending half: a message of ours, and what the paper's peer answers.
struct Jar : ::testing::Test {
  Message add_macs(Time now) {
    Message message(148, ++count);
    jar.add_macs(message, now);
    return message;
  }
  bool consume(const Message& reply, Time now) {
    return jar.consume_reply(message_in<CookieReplyMessage>(ConstBytes(reply)), now);
  }
  static bool has_mac2(const Message& message) {
    return std::any_of(message.end() - 16, message.end(), [](uint8_t byte) { return byte != 0; });
  }
  /// Whether the message carries the mac2 that this cookie demands.
  static bool carries(const Message& message, const PaperPeer::Mac& wanted) {
    const crypto::Mac mac2 = crypto::blake2s_mac(wanted, {ConstBytes(message).first(132)});
    return std::ranges::equal(mac2, ConstBytes(message).last(16));
  }

  Identity us{crypto::generate_private_key()};
  PaperPeer paper{us.public_key};
  CookieJar jar{paper.public_key()};
  PaperPeer::Mac cookie{1, 2, 3}, other_cookie{4, 5, 6};
  uint8_t count = 0;
};

TEST_F(Jar, Mac1FitsAndMac2IsZeroWithoutACookie) {
  const Message message = add_macs(kStart);
  EXPECT_TRUE(CookieChecker(paper.public_key()).mac1_fits(message));
  EXPECT_FALSE(has_mac2(message));
}

TEST_F(Jar, ACookieMakesMac2For115Seconds) {
  ASSERT_TRUE(consume(paper.cookie_reply(add_macs(kStart), cookie), kStart));
  EXPECT_TRUE(carries(add_macs(kStart), cookie));
  EXPECT_TRUE(carries(add_macs(kStart + seconds(115) - nanoseconds(1)), cookie));
  EXPECT_FALSE(has_mac2(add_macs(kStart + seconds(115))));
}

TEST_F(Jar, OneReplyIsTakenPerMessage) {
  const Message message = add_macs(kStart);
  ASSERT_TRUE(consume(paper.cookie_reply(message, cookie), kStart));
  EXPECT_FALSE(consume(paper.cookie_reply(message, other_cookie), kStart));
  EXPECT_TRUE(carries(add_macs(kStart), cookie));
}

TEST_F(Jar, OnlyTheLastMessageMayBeAnswered) {
  const Message earlier = add_macs(kStart);
  const Message last = add_macs(kStart);
  EXPECT_FALSE(consume(paper.cookie_reply(earlier, cookie), kStart));
  EXPECT_TRUE(consume(paper.cookie_reply(last, cookie), kStart)) << "the wrong one did not use it up";
}

TEST_F(Jar, NoReplyIsExpectedBeforeAMessage) {
  EXPECT_FALSE(consume(paper.cookie_reply(Message(148), cookie), kStart));
}

TEST_F(Jar, AForgedReplyIsRefused) {
  const Message reply = paper.cookie_reply(add_macs(kStart), cookie);
  for (size_t i = 8; i < reply.size(); ++i) {
    Message forged = reply;
    forged[i] ^= 0x80;
    EXPECT_FALSE(consume(forged, kStart)) << i;
  }
  EXPECT_TRUE(consume(reply, kStart));
}

// The tunnel under load.

struct UnderLoad : ::testing::Test {
  /// Handshake messages that know our public key and nothing else, more than we can afford.
  void flood() {
    PaperPeer stranger(lone.tunnel.public_key());
    Message junk(148);
    junk[0] = 1;
    stranger.sign(junk);
    lone.receive(std::vector<Message>(200, junk), Endpoint{*Ip::parse("192.0.2.66"), 6});
  }
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  const Message packet = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 64);
};

TEST_F(UnderLoad, AFloodIsAnsweredWithCookiesNotWithWork) {
  flood();
  EXPECT_EQ(lone.drops(Drop::kForgedHandshake), 128u) << "so many we afford at once";
  EXPECT_EQ(lone.drops(Drop::kUnderLoad), 72u);
  EXPECT_EQ(lone.replies_of(MessageType::kCookieReply), 72u);
  EXPECT_EQ(lone.replies.size(), 72u);
}

TEST_F(UnderLoad, AFloodBeyondOurMeansIsNotEvenLookedAt) {
  size_t replies = 0;
  for (int i = 0; i < 10; ++i) {  // 2,000 at one instant: 128 for X25519, then 1,000 for cookies
    flood();
    replies += lone.replies_of(MessageType::kCookieReply);
  }
  EXPECT_EQ(lone.drops(Drop::kForgedHandshake), 128u);
  EXPECT_EQ(lone.drops(Drop::kUnderLoad), 1872u);
  EXPECT_EQ(replies, 1001u) << "the message that showed the load is answered, too";
}

TEST_F(UnderLoad, AHundredPeersThatComeBackAtOnceAreNoFlood) {
  std::vector<Message> initiations;
  for (uint32_t i = 0; i < 100; ++i) {
    const std::string address = Ip::v4(0x0a010000 + i).to_string() + "/32";
    initiations.push_back(lone.add_peer({address.c_str()}).initiation());
  }
  lone.receive(initiations);
  EXPECT_EQ(lone.replies_of(MessageType::kResponse), 100u);
}

TEST_F(UnderLoad, WrongMac1NeitherLoadsUsNorIsAnswered) {
  Message junk(148);
  junk[0] = 1;
  lone.receive(std::vector<Message>(900, junk));
  EXPECT_TRUE(lone.replies.empty());
  EXPECT_EQ(lone.drops(Drop::kBadMac), 900u);
  EXPECT_TRUE(lone.greet(peer));
  flood();
  lone.receive(junk);
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(UnderLoad, AnHonestPeerIsAnsweredOnceItShowsItsCookie) {
  flood();
  lone.receive(peer.initiation());
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_EQ(lone.replies[0].size(), 64u);
  EXPECT_EQ(lone.sent[0].remote, lone.endpoint);
  EXPECT_EQ(lone.sent[0].local.ip, lone.local);
  EXPECT_EQ(lone.status(peer).received_bytes, 0u);
  EXPECT_EQ(lone.status(peer).sent_bytes, 0u) << "a cookie is nobody's";
  ASSERT_TRUE(peer.consume_cookie_reply(lone.replies[0])) << "addressed to the initiation's sender index";
  EXPECT_TRUE(lone.greet(peer));
}

TEST_F(UnderLoad, AnInitiationAnsweredWithACookieWasNotLookedAt) {
  flood();
  const Message initiation = peer.initiation();
  lone.receive(initiation);
  ASSERT_EQ(lone.replies_of(MessageType::kCookieReply), 1u);
  lone.advance(seconds(2));  // the load is gone
  lone.receive(initiation);
  EXPECT_EQ(lone.replies_of(MessageType::kResponse), 1u) << "its timestamp was not used up";
}

TEST_F(UnderLoad, ACookieFromElsewhereIsAnsweredWithAnother) {
  flood();
  lone.receive(peer.initiation(), kFrom);
  ASSERT_TRUE(peer.consume_cookie_reply(lone.replies.at(0)));
  Endpoint roamed = kFrom;
  ++roamed.port;
  lone.receive(peer.initiation(), roamed);
  EXPECT_EQ(lone.replies_of(MessageType::kCookieReply), 1u);
  lone.receive(peer.initiation(), kFrom);
  EXPECT_EQ(lone.replies_of(MessageType::kResponse), 1u);
}

TEST_F(UnderLoad, ResponsesNeedACookieToo) {
  lone.send({packet});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  flood();
  Message response = peer.response();
  lone.receive(response);
  ASSERT_EQ(lone.replies_of(MessageType::kCookieReply), 1u);
  ASSERT_TRUE(peer.consume_cookie_reply(lone.replies[0]));
  peer.sign(response);
  lone.receive(response);
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_EQ(peer.open(lone.replies[0]), packet);
}

TEST_F(UnderLoad, AWrongMac2DoesNotMatterWithoutLoad) {
  peer.cookie = PaperPeer::Mac{9};
  EXPECT_TRUE(lone.greet(peer));
}

TEST_F(UnderLoad, ShownCookiesAreStillLimitedPerSource) {
  flood();
  lone.receive(peer.initiation());
  ASSERT_TRUE(peer.consume_cookie_reply(lone.replies.at(0)));
  for (int i = 0; i < 9; ++i) lone.receive(peer.initiation());
  EXPECT_EQ(lone.drops(Drop::kRateLimited), 4u);
}

TEST_F(UnderLoad, DataFlowsAsEver) {
  ASSERT_TRUE(lone.greet(peer));
  flood();
  lone.receive(peer.data(inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64)));
  EXPECT_EQ(lone.inner.size(), 1u);
}

TEST_F(UnderLoad, LastsASecondAfterTheFlood) {
  flood();
  lone.advance(milliseconds(999));
  lone.receive(peer.initiation());
  EXPECT_EQ(lone.replies_of(MessageType::kCookieReply), 1u);
  lone.advance(milliseconds(1));
  EXPECT_TRUE(lone.greet(peer));
}

TEST_F(UnderLoad, ACookieReplyChangesNothingButTheNextMac2) {
  lone.send({packet});
  const Message initiation = lone.replies.at(0);
  const PeerStatus before = lone.status(peer);
  const Time deadline = lone.tunnel.next_deadline();
  static_cast<void>(lone.tunnel.take_events());
  const PaperPeer::Mac cookie{7, 7, 7};
  lone.receive(peer.cookie_reply(initiation, cookie), kFrom);

  EXPECT_TRUE(lone.replies.empty());
  EXPECT_EQ(lone.tunnel.drops().total(), 0u);
  EXPECT_EQ(lone.status(peer).endpoint, before.endpoint);
  EXPECT_EQ(lone.status(peer).received_bytes, 0u);
  EXPECT_EQ(lone.tunnel.next_deadline(), deadline);
  EXPECT_TRUE(lone.tunnel.take_events().empty());

  lone.advance(seconds(6));
  ASSERT_EQ(lone.replies.size(), 1u);
  const ConstBytes retransmitted = lone.replies[0];
  EXPECT_TRUE(std::ranges::equal(crypto::blake2s_mac(cookie, {retransmitted.first(132)}), retransmitted.last(16)));

  lone.receive(peer.cookie_reply(initiation, cookie), kFrom);
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u) << "the index of the earlier handshake is gone";
}

TEST_F(UnderLoad, ACookieReplyThatWasNotAskedForIsDropped) {
  ASSERT_TRUE(lone.greet(peer));
  Message message(148);
  store_le32(&message[4], peer.remote_index);
  lone.receive(peer.cookie_reply(message, {1}));
  EXPECT_EQ(lone.drops(Drop::kBadCookie), 1u);
  store_le32(&message[4], 12345);
  lone.receive(peer.cookie_reply(message, {1}));
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
}

TEST_F(UnderLoad, ACookieReplyToAResponseFindsItsSession) {
  ASSERT_TRUE(lone.greet(peer, false));
  lone.advance(seconds(1));
  lone.receive(peer.initiation());
  const Message response = lone.replies.at(0);
  lone.receive(peer.cookie_reply(response, {1}));
  EXPECT_EQ(lone.tunnel.drops().total(), 1u) << "kUnconfirmed, for the session before";
}

}  // namespace
}  // namespace adit::tunnel
