// What a Tunnel remembers of handshakes and packets that went wrong, for people who look for the fault.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

constexpr uint64_t kYesterday = 1'700'000'000 - 86'400;

const std::vector<uint8_t> kAnswer = inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64);
const std::vector<uint8_t> kForeign = inner_packet(*Ip::parse("10.0.0.9"), *Ip::parse("10.0.0.1"), 64);

struct Trouble : testing::Test {
  LoneTunnel lone;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});

  [[nodiscard]] PeerTrouble trouble() const { return lone.status(peer).trouble; }
};

TEST_F(Trouble, IsNoneWhereAllIsWell) {
  ASSERT_TRUE(lone.greet(peer));
  lone.receive(peer.data(kAnswer));
  EXPECT_FALSE(trouble().old_initiation);
  EXPECT_FALSE(trouble().wrong_source);
  EXPECT_EQ(trouble().unconfirmed, 0u);
  EXPECT_EQ(trouble().forged_responses, 0u);
  EXPECT_TRUE(lone.tunnel.strangers().empty());
}

TEST_F(Trouble, OfAClockThatWentBackIsWhatBothClocksSaid) {
  lone.receive(peer.initiation(PaperPeer::timestamp(1'700'000'000)));
  lone.advance(seconds(5));
  lone.receive(peer.initiation(PaperPeer::timestamp(kYesterday)));
  ASSERT_TRUE(trouble().old_initiation);
  EXPECT_EQ(trouble().old_initiation->at, lone.now.wall);
  EXPECT_EQ(trouble().old_initiation->stamp, WallTime(seconds(kYesterday)));
  EXPECT_EQ(trouble().old_initiation->newest, WallTime(seconds(1'700'000'000)));
}

TEST_F(Trouble, IsNoneForAnInitiationThatCameTwice) {
  const Message twice = peer.initiation();
  lone.receive({twice, twice});
  EXPECT_EQ(lone.drops(Drop::kReplayedInitiation), 1u);
  EXPECT_FALSE(trouble().old_initiation);
}

TEST_F(Trouble, EndsWithTheNextHandshake) {
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(5));
  lone.receive(peer.initiation(PaperPeer::timestamp(1)));
  lone.receive(peer.data(kForeign));
  ASSERT_TRUE(trouble().old_initiation);
  ASSERT_TRUE(lone.greet(peer));
  EXPECT_FALSE(trouble().old_initiation);
  EXPECT_FALSE(trouble().wrong_source);
}

TEST_F(Trouble, OfTimestampsThatNoClockShowsIsTheNearestTime) {
  PaperPeer::Tai64n last;
  last.fill(0xff);
  lone.receive(peer.initiation(last));
  lone.advance(seconds(5));
  lone.receive(peer.initiation(PaperPeer::Tai64n{}));
  ASSERT_TRUE(trouble().old_initiation);
  EXPECT_EQ(trouble().old_initiation->stamp, WallTime());
  EXPECT_GT(trouble().old_initiation->newest, lone.now.wall);
}

TEST_F(Trouble, OfAWrongSourceIsTheLastOne) {
  ASSERT_TRUE(lone.greet(peer));
  lone.receive(peer.data(kForeign));
  EXPECT_EQ(trouble().wrong_source, Ip::parse("10.0.0.9"));
}

TEST_F(Trouble, OfAPeerThatBeginsAnewInsteadOfGoingOnIsCounted) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(lone.greet(peer, false));
    lone.advance(seconds(5));
  }
  EXPECT_EQ(trouble().unconfirmed, 2u);
}

TEST_F(Trouble, OfAnswersWithAnotherPresharedKeyIsCounted) {
  PaperPeer other = lone.add_peer({"10.0.0.3/32"});
  other.preshared = {1};
  EXPECT_FALSE(lone.answer(other, inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.3"), 64)));
  EXPECT_EQ(lone.status(other).trouble.forged_responses, 1u);
  EXPECT_EQ(trouble().forged_responses, 0u);
}

TEST_F(Trouble, OfAStrangerIsItsKeyAndWhereItCalledFrom) {
  PaperPeer stranger(lone.tunnel.public_key());
  const Endpoint from = *Endpoint::parse("203.0.113.9:1000");
  lone.receive(stranger.initiation(), from);
  const std::vector<Stranger> strangers = lone.tunnel.strangers();
  ASSERT_EQ(strangers.size(), 1u);
  EXPECT_EQ(strangers[0].why, Drop::kUnknownPeer);
  EXPECT_EQ(strangers[0].from, from);
  EXPECT_EQ(strangers[0].at, lone.now.wall);
  EXPECT_EQ(strangers[0].key, stranger.public_key());
}

TEST_F(Trouble, OfAMisdirectedInitiationIsWhoseItWouldHaveBeenIfThatIsAPeer) {
  PaperPeer for_nobody(PaperPeer(lone.tunnel.public_key()).public_key());
  lone.receive(for_nobody.initiation());
  ASSERT_EQ(lone.tunnel.strangers().size(), 1u);
  EXPECT_EQ(lone.tunnel.strangers()[0].why, Drop::kBadMac);
  EXPECT_FALSE(lone.tunnel.strangers()[0].key);
  PaperPeer for_the_peer(peer.public_key());
  lone.receive(for_the_peer.initiation());
  ASSERT_EQ(lone.tunnel.strangers().size(), 1u);
  EXPECT_EQ(lone.tunnel.strangers()[0].key, peer.public_key());
  lone.receive(for_nobody.initiation());
  EXPECT_FALSE(lone.tunnel.strangers()[0].key);
}

TEST_F(Trouble, OfAMisdirectedInitiationIsWhoseItIsAmongThePeersOfNow) {
  const auto meant_for = [&] { return lone.tunnel.strangers().at(0).key; };
  PaperPeer other(lone.tunnel.public_key());
  lone.receive(PaperPeer(other.public_key()).initiation());
  EXPECT_FALSE(meant_for());
  lone.tunnel.add_peer({other.public_key(), {}, {}, {}}, lone.now);
  EXPECT_EQ(meant_for(), other.public_key());
  lone.tunnel.remove_peer(peer.public_key());
  EXPECT_EQ(meant_for(), other.public_key());
  lone.tunnel.remove_peer(other.public_key());
  EXPECT_FALSE(meant_for());
  lone.tunnel.add_peer({other.public_key(), {}, {}, {}}, lone.now);
  EXPECT_EQ(meant_for(), other.public_key());
  lone.tunnel.remove_all_peers();
  EXPECT_FALSE(meant_for());
}

}  // namespace
}  // namespace adit::tunnel
