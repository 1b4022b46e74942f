// From which of our addresses peers are answered, as routes change.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Message kPacket = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 64);
const Ip kOther = *Ip::parse("192.0.2.77");

struct Ways : ::testing::Test {
  void SetUp() override { ASSERT_TRUE(lone.greet(peer)); }

  /// Unspecified: the kernel chooses.
  Ip answers_from() {
    lone.send({kPacket});
    return lone.sent.at(0).local.ip;
  }
  void hear_at(const Ip& local, const std::optional<Endpoint>& from = {}) {
    lone.local = local;
    lone.receive(peer.keepalive(), from);
  }
  Way way() { return tunnel.ways().at(0); }

  LoneTunnel lone;
  Tunnel& tunnel = lone.tunnel;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
  const Ip first = lone.local;
};

TEST_F(Ways, AreThoseOfPeersThatWereHeardFrom) {
  (void)lone.add_peer({"10.0.0.3/32"});
  (void)lone.add_peer({"10.0.0.4/32"}, {}, false);
  ASSERT_EQ(tunnel.ways().size(), 1u);
  EXPECT_EQ(way().peer, peer.public_key());
  EXPECT_EQ(way().remote, lone.endpoint);
  EXPECT_EQ(way().local, (Local{first, 1}));
}

TEST_F(Ways, StayWhileTheyAreOpen) {
  tunnel.open_way(way(), true);
  EXPECT_EQ(answers_from(), first);
}

TEST_F(Ways, ThatAreClosedStayClosedWhateverIsStillSentThere) {
  tunnel.open_way(way(), false);
  EXPECT_EQ(answers_from(), Ip());
  hear_at(first);
  EXPECT_EQ(answers_from(), Ip());
  hear_at(kOther);
  EXPECT_EQ(answers_from(), kOther);
  hear_at(first);
  EXPECT_EQ(answers_from(), Ip()) << "a packet that was overtaken";
}

TEST_F(Ways, AreLookedAtAgainWhenTheyAreClosedAndMayOpen) {
  tunnel.open_way(way(), false);
  EXPECT_EQ(way().local, (Local{first, 1}));
  tunnel.open_way(way(), true);
  hear_at(first);
  EXPECT_EQ(answers_from(), first);
}

TEST_F(Ways, ThatAreClosedMayOpenWhileAnotherIsInUse) {
  tunnel.open_way(way(), false);
  hear_at(kOther);
  const std::vector<Way> both = tunnel.ways();
  ASSERT_EQ(both.size(), 2u);
  for (const Way& each : both) tunnel.open_way(each, true);
  EXPECT_EQ(answers_from(), kOther);
  hear_at(first);
  EXPECT_EQ(answers_from(), first);
}

TEST_F(Ways, MayChangeToAndFro) {
  const Way there = way();
  tunnel.open_way(there, false);
  hear_at(kOther);
  tunnel.open_way(way(), false);
  hear_at(first);
  EXPECT_EQ(answers_from(), first);
  tunnel.open_way(there, true);
  hear_at(kOther);
  EXPECT_EQ(answers_from(), Ip());
}

TEST_F(Ways, AreOpenForAPeerThatHasMoved) {
  const Endpoint elsewhere = *Endpoint::parse("198.51.100.9:9");
  const Way before = way();
  tunnel.open_way(before, false);
  hear_at(first, elsewhere);
  EXPECT_EQ(answers_from(), first);
  tunnel.open_way(before, false);
  EXPECT_EQ(answers_from(), first) << "that was about another way";
  tunnel.open_way(way(), false);
  tunnel.set_endpoint(peer.public_key(), lone.endpoint, lone.now);
  hear_at(first);
  EXPECT_EQ(answers_from(), first);
}

TEST_F(Ways, AreOpenOnceSocketsOrMarkAreOthers) {
  tunnel.open_way(way(), false);
  tunnel.forget_local_addresses();
  hear_at(first);
  EXPECT_EQ(answers_from(), first);
}

TEST_F(Ways, OfPeersThatAreGoneAreIgnored) {
  const Way gone = way();
  tunnel.remove_all_peers();
  EXPECT_TRUE(tunnel.ways().empty());
  tunnel.open_way(gone, false);
}

}  // namespace
}  // namespace adit::tunnel
