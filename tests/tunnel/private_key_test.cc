// A tunnel whose private key changes, or which has none.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Message kPacket = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 64);
const Message kAnswer = inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64);

struct PrivateKey : ::testing::Test {
  LoneTunnel lone;
  Tunnel& tunnel = lone.tunnel;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});

  /// The peer is told of the new key as well.
  void change_to(const crypto::PrivateKey& key) {
    tunnel.set_private_key(key, lone.now);
    peer.remote_static = tunnel.public_key().bytes;
  }
};

TEST_F(PrivateKey, ThatChangedStillOpensWhatIsOnItsWay) {
  ASSERT_TRUE(lone.greet(peer));
  change_to(crypto::generate_private_key());
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.inner.size(), 1u);
  EXPECT_EQ(tunnel.drops().total(), 0u);
}

TEST_F(PrivateKey, ThatChangedSendsNothingOnOldSessionsAndBeginsAHandshakeAtOnce) {
  ASSERT_TRUE(lone.answer(peer, kPacket));
  change_to(crypto::generate_private_key());
  lone.send({kPacket});
  ASSERT_EQ(lone.replies.size(), 1u) << "though the last initiation was less than five seconds ago";
  ASSERT_EQ(lone.replies[0].size(), 148u);
  ASSERT_TRUE(peer.consume_initiation(lone.replies[0])) << "with the new key";
  lone.receive(peer.response());
  const std::optional<Message> text = peer.open(lone.replies.at(0));
  ASSERT_TRUE(text);
  EXPECT_TRUE(std::equal(kPacket.begin(), kPacket.end(), text->begin()));
}

TEST_F(PrivateKey, ThatChangedDoesNotSendOnAnUnconfirmedSessionEither) {
  ASSERT_TRUE(lone.greet(peer, false));
  change_to(crypto::generate_private_key());
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.inner.size(), 1u);
  lone.send({kPacket});
  EXPECT_EQ(lone.replies.at(0).size(), 148u);
}

TEST_F(PrivateKey, ThatChangedEndsAHandshakeUnderWay) {
  lone.send({kPacket});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  change_to(crypto::generate_private_key());
  lone.receive(peer.response());
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  lone.send_staged(peer);
  EXPECT_TRUE(peer.consume_initiation(lone.replies.at(0)));
}

TEST_F(PrivateKey, ThatChangedIsTheOneHandshakesAreFor) {
  const Message for_the_old = peer.initiation();
  change_to(crypto::generate_private_key());
  lone.receive(for_the_old);
  EXPECT_EQ(lone.drops(Drop::kBadMac), 1u);
  EXPECT_TRUE(lone.greet(peer));
}

TEST_F(PrivateKey, ThatIsTheSameChangesNothing) {
  ASSERT_TRUE(lone.greet(peer));
  change_to(lone.key);
  crypto::PrivateKey unclamped = lone.key;
  unclamped.bytes()[0] |= 7;
  change_to(unclamped);
  lone.send({kPacket});
  EXPECT_TRUE(peer.open(lone.replies.at(0)));
}

TEST_F(PrivateKey, IsKeptAsWgWouldShowIt) {
  crypto::PrivateKey key;
  key.bytes().fill(0xff);
  change_to(key);
  EXPECT_EQ(tunnel.private_key().bytes().front(), 0xf8);
  EXPECT_EQ(tunnel.private_key().bytes().back(), 0x7f);
  EXPECT_EQ(tunnel.public_key(), Identity(key).public_key);
}

TEST_F(PrivateKey, OfAPeerMakesThePeerOurselvesAndRemovesIt) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_private_key(crypto::PrivateKey(peer.static_private), lone.now);
  EXPECT_EQ(tunnel.public_key(), peer.public_key());
  EXPECT_FALSE(tunnel.has_peer(peer.public_key()));
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
}

TEST_F(PrivateKey, MissingMeansNoHandshakesEitherWay) {
  change_to({});
  EXPECT_TRUE(tunnel.private_key().is_zero());
  EXPECT_EQ(tunnel.public_key(), crypto::PublicKey{});
  lone.send({kPacket});
  EXPECT_TRUE(lone.replies.empty());
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  lone.receive(peer.initiation());
  EXPECT_TRUE(lone.replies.empty());
  // Nor with who knows what the missing key would compute to.
  PaperPeer sly = peer;
  sly.remote_static = Identity(crypto::generate_private_key()).public_key.bytes;
  lone.receive(sly.initiation());
  EXPECT_TRUE(lone.replies.empty());
  EXPECT_EQ(lone.drops(Drop::kBadMac), 2u);
}

TEST_F(PrivateKey, MissingStillOpensWhatIsOnItsWay) {
  ASSERT_TRUE(lone.greet(peer));
  change_to({});
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.inner.size(), 1u);
  lone.advance(seconds(9));
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(PrivateKey, SetAtLastSendsWhatWaits) {
  change_to({});
  lone.send({kPacket});
  change_to(crypto::generate_private_key());
  lone.send_staged(peer);
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  lone.receive(peer.response());
  EXPECT_TRUE(peer.open(lone.replies.at(0)));
  EXPECT_EQ(lone.pool.available(), lone.pool.slots() - lone.sent.size());
}

TEST_F(PrivateKey, MissingFromTheStartIsNoKeyAtAll) {
  PacketPool pool(8, 2048);
  const Tunnel keyless({}, 1420, pool);
  EXPECT_TRUE(keyless.private_key().is_zero());
  EXPECT_EQ(keyless.public_key(), crypto::PublicKey{});
}

}  // namespace
}  // namespace adit::tunnel
