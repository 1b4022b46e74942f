// How many messages a session may carry (paper 6.1).  Nobody sends 2^60 of them in a test: the counter is turned
// forward.
#include <gtest/gtest.h>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

using Peers = std::map<crypto::PublicKey, std::unique_ptr<Peer>>;

/// The one way in that C++ leaves open: an explicit instantiation may name what is private.
Peers& peers_of(Tunnel& tunnel);
template <Peers Tunnel::*Member>
struct Opened {
  friend Peers& peers_of(Tunnel& tunnel) { return tunnel.*Member; }
};
template struct Opened<&Tunnel::peers_>;

constexpr uint64_t kRenewal = uint64_t{1} << 60;
constexpr uint64_t kLastNonce = UINT64_MAX - 8130;

struct MessageLimits : ::testing::Test {
  Keypair& session() { return *peers_of(lone.tunnel).at(peer.public_key())->keypairs.current(); }
  static Message packet(size_t size) { return inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), size); }
  static uint64_t nonce_of(const Message& data) { return load_le64(&data[8]); }

  LoneTunnel lone{0};
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});
};

TEST_F(MessageLimits, ASessionIsRenewedAfterTwoToThe60MessagesWhoeverBeganIt) {
  for (const bool we_began : {true, false}) {
    ASSERT_TRUE(we_began ? lone.answer(peer, packet(64)) : lone.greet(peer));
    lone.advance(seconds(5));
    session().send_counter = kRenewal - 1;
    lone.send({packet(64)});
    EXPECT_EQ(lone.replies_of(MessageType::kInitiation), 0u) << we_began;
    lone.send({packet(64)});
    EXPECT_EQ(lone.replies_of(MessageType::kInitiation), 1u) << we_began;
    EXPECT_EQ(lone.replies_of(MessageType::kData), 1u) << "meanwhile it serves";
    lone.receive(peer.keepalive());
    lone.advance(seconds(5));
  }
}

TEST_F(MessageLimits, AtTheLastNonceTheRestWaitsForANewSessionInOrder) {
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(5));
  session().send_counter = kLastNonce - 1;
  lone.send({packet(16 * 4), packet(16 * 5), packet(16 * 6), packet(16 * 7)});
  ASSERT_EQ(lone.replies.size(), 3u);
  EXPECT_EQ(nonce_of(lone.replies[0]), kLastNonce - 1);
  EXPECT_EQ(nonce_of(lone.replies[1]), kLastNonce);
  EXPECT_EQ(peer.open(lone.replies[1]), packet(16 * 5));
  const Message initiation = lone.replies[2];
  lone.send({packet(16 * 8)});
  EXPECT_TRUE(lone.replies.empty()) << "no nonce is left";

  ASSERT_TRUE(peer.consume_initiation(initiation));
  lone.receive(peer.response());
  ASSERT_EQ(lone.replies.size(), 3u);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(nonce_of(lone.replies[i]), i);
    EXPECT_EQ(peer.open(lone.replies[i]), packet(16 * (6 + i)));
  }
}

TEST_F(MessageLimits, AKeepaliveFindsNoNonceEither) {
  ASSERT_TRUE(lone.greet(peer));
  lone.advance(seconds(5));
  session().send_counter = kLastNonce + 1;
  lone.tunnel.set_persistent_keepalive(peer.public_key(), seconds(25), lone.now);
  lone.advance(seconds(0));
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_EQ(lone.replies_of(MessageType::kInitiation), 1u);
}

TEST_F(MessageLimits, WhoMayNotSendStillReceives) {
  ASSERT_TRUE(lone.greet(peer));
  session().send_counter = kLastNonce + 1;
  lone.receive(peer.data(inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64)));
  EXPECT_EQ(lone.inner.size(), 1u);
}

}  // namespace
}  // namespace adit::tunnel
