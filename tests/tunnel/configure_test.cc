// What is set while a tunnel runs: peers come and go, and their settings change.
#include <gtest/gtest.h>

#include <random>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

const Message kPacket = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 64);
const Message kAnswer = inner_packet(*Ip::parse("10.0.0.2"), *Ip::parse("10.0.0.1"), 64);

Prefix prefix(const char* text) { return *Prefix::parse(text); }

struct Configure : ::testing::Test {
  LoneTunnel lone;
  Tunnel& tunnel = lone.tunnel;
  PaperPeer peer = lone.add_peer({"10.0.0.2/32"});

  void add_again(bool has_endpoint = true) {
    PeerSettings settings;
    settings.public_key = peer.public_key();
    if (has_endpoint) settings.endpoint = lone.endpoint;
    tunnel.add_peer(settings, lone.now);
  }
};

struct RemovePeer : Configure {};

TEST_F(RemovePeer, LeavesNothingOfIt) {
  ASSERT_TRUE(lone.greet(peer));
  lone.receive(peer.data(kAnswer));
  ASSERT_NE(tunnel.next_deadline(), kNever);
  tunnel.remove_peer(peer.public_key());
  EXPECT_FALSE(tunnel.has_peer(peer.public_key()));
  EXPECT_TRUE(tunnel.peers().empty());
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  lone.send({kPacket});
  EXPECT_EQ(lone.drops(Drop::kNoRoute), 1u);
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  lone.receive(peer.initiation());
  EXPECT_EQ(lone.drops(Drop::kUnknownPeer), 1u);
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(RemovePeer, GivesBackThePacketsThatWaitForIt) {
  lone.send({kPacket, kPacket});
  lone.sent.clear();
  tunnel.remove_peer(peer.public_key());
  EXPECT_EQ(lone.drops(Drop::kStagePurged), 2u);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
}

TEST_F(RemovePeer, EndsAHandshakeUnderWay) {
  lone.send({kPacket});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  tunnel.remove_peer(peer.public_key());
  lone.receive(peer.response());
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  lone.advance(seconds(1000));
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(RemovePeer, DisturbsNoOther) {
  PaperPeer other = lone.add_peer({"10.0.0.3/32"});
  ASSERT_TRUE(lone.greet(peer));
  ASSERT_TRUE(lone.greet(other));
  tunnel.remove_peer(peer.public_key());
  lone.receive(other.data(inner_packet(*Ip::parse("10.0.0.3"), *Ip::parse("10.0.0.1"), 64)));
  EXPECT_EQ(lone.inner.size(), 1u);
  lone.send({inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.3"), 64)});
  EXPECT_TRUE(other.open(lone.replies.at(0)));
}

TEST_F(RemovePeer, AndAddedAgainItHasNothingOfBefore) {
  const Message first = peer.initiation();
  lone.receive(first);
  ASSERT_TRUE(peer.consume_response(lone.replies.at(0)));
  lone.receive(peer.data(kAnswer));
  tunnel.remove_peer(peer.public_key());
  add_again();
  const PeerStatus status = lone.status(peer);
  EXPECT_TRUE(status.allowed_ips.empty());
  EXPECT_EQ(status.received_bytes + status.sent_bytes, 0u);
  EXPECT_EQ(status.last_handshake, WallTime{});
  lone.receive(first);
  EXPECT_EQ(lone.replies_of(MessageType::kResponse), 1u) << "the last timestamp went with the peer";
}

TEST_F(RemovePeer, AllAtOnce) {
  PaperPeer other = lone.add_peer({"10.0.0.3/32", "fd00::/8"});
  ASSERT_TRUE(lone.greet(peer));
  lone.send({inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.3"), 64)});
  lone.sent.clear();
  tunnel.remove_all_peers();
  EXPECT_TRUE(tunnel.peers().empty());
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
  lone.receive({peer.data(kAnswer), other.initiation()});
  EXPECT_EQ(lone.drops(Drop::kUnknownIndex), 1u);
  EXPECT_EQ(lone.drops(Drop::kUnknownPeer), 1u);
  add_again();
  EXPECT_TRUE(lone.greet(peer));
}

TEST_F(Configure, PeersAreShownInTheOrderTheyWereAdded) {
  std::vector<crypto::PublicKey> keys = {peer.public_key()};
  for (int i = 0; i < 20; ++i) keys.push_back(lone.add_peer({}).public_key());
  tunnel.remove_peer(keys[3]);
  keys.erase(keys.begin() + 3);
  tunnel.remove_peer(keys[0]);
  std::rotate(keys.begin(), keys.begin() + 1, keys.end());
  add_again();
  const std::vector<PeerStatus> shown = tunnel.peers();
  ASSERT_EQ(shown.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(shown[i].public_key, keys[i]);
}

TEST_F(Configure, UnknownPeersAreIgnored) {
  const crypto::PublicKey nobody = PaperPeer(tunnel.public_key()).public_key();
  tunnel.remove_peer(nobody);
  tunnel.set_preshared_key(nobody, crypto::generate_preshared_key());
  tunnel.set_persistent_keepalive(nobody, seconds(5), lone.now);
  tunnel.allow_ip(nobody, prefix("10.0.0.2/32"));
  tunnel.disallow_ip(nobody, prefix("10.0.0.2/32"));
  tunnel.disallow_all_ips(nobody);
  Outgoing out;
  tunnel.send_staged(nobody, lone.now, out);
  EXPECT_TRUE(out.empty());
  EXPECT_FALSE(tunnel.has_peer(nobody));
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  EXPECT_EQ(lone.status(peer).allowed_ips, std::vector{prefix("10.0.0.2/32")});
}

TEST_F(Configure, AMovedPrefixMovesTrafficBothWays) {
  PaperPeer other = lone.add_peer({});
  ASSERT_TRUE(lone.greet(peer));
  ASSERT_TRUE(lone.greet(other));
  tunnel.allow_ip(other.public_key(), prefix("10.0.0.2/32"));
  EXPECT_TRUE(lone.status(peer).allowed_ips.empty());
  EXPECT_EQ(lone.status(other).allowed_ips, std::vector{prefix("10.0.0.2/32")});
  lone.send({kPacket});
  EXPECT_TRUE(other.open(lone.replies.at(0)));
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.drops(Drop::kWrongSource), 1u);
  lone.receive(other.data(kAnswer));
  EXPECT_EQ(lone.inner.size(), 1u);
}

TEST_F(Configure, ADisallowedPrefixIsNobodys) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.disallow_ip(peer.public_key(), prefix("10.0.0.0/24"));
  lone.send({kPacket});
  EXPECT_EQ(lone.replies.size(), 1u) << "a wider prefix is another";
  tunnel.disallow_ip(peer.public_key(), prefix("10.0.0.2/32"));
  lone.send({kPacket});
  EXPECT_EQ(lone.drops(Drop::kNoRoute), 1u);
  tunnel.allow_ip(peer.public_key(), prefix("0.0.0.0/0"));
  tunnel.disallow_all_ips(peer.public_key());
  lone.receive(peer.data(kAnswer));
  EXPECT_EQ(lone.drops(Drop::kWrongSource), 1u);
}

TEST_F(Configure, ANewPresharedKeyIsForTheNextHandshake) {
  ASSERT_TRUE(lone.greet(peer));
  const crypto::PresharedKey key = crypto::generate_preshared_key();
  tunnel.set_preshared_key(peer.public_key(), key);
  EXPECT_EQ(lone.status(peer).preshared_key, key);
  lone.send({kPacket});
  EXPECT_TRUE(peer.open(lone.replies.at(0))) << "the session goes on";
  lone.advance(seconds(1));
  lone.receive(peer.initiation());
  EXPECT_FALSE(peer.consume_response(lone.replies.at(0)));
  peer.preshared = key.bytes();
  lone.advance(seconds(1));
  EXPECT_TRUE(lone.greet(peer));
}

TEST_F(Configure, ANewPresharedKeyServesAHandshakeUnderWay) {
  lone.send({kPacket});
  ASSERT_TRUE(peer.consume_initiation(lone.replies.at(0)));
  const crypto::PresharedKey key = crypto::generate_preshared_key();
  tunnel.set_preshared_key(peer.public_key(), key);
  peer.preshared = key.bytes();
  lone.receive(peer.response());
  EXPECT_TRUE(peer.open(lone.replies.at(0)));
}

TEST_F(Configure, APersistentKeepaliveSwitchedOnIsDueAtOnce) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(25), lone.now);
  EXPECT_EQ(lone.status(peer).persistent_keepalive, seconds(25));
  lone.advance(seconds(0));
  ASSERT_EQ(lone.replies.size(), 1u);
  EXPECT_EQ(peer.open(lone.replies[0]), Message{});
  lone.advance(seconds(24));
  EXPECT_TRUE(lone.replies.empty());
  lone.advance(seconds(1));
  EXPECT_EQ(lone.replies.size(), 1u);
}

TEST_F(Configure, APersistentKeepaliveMadeFasterOrSlowerSendsNothingExtra) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(20), lone.now);
  lone.advance(seconds(0));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(30), lone.now);
  lone.advance(seconds(19));
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(Configure, APersistentKeepaliveSwitchedOffStops) {
  ASSERT_TRUE(lone.greet(peer));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(5), lone.now);
  lone.advance(seconds(1));
  tunnel.set_persistent_keepalive(peer.public_key(), seconds(0), lone.now);
  lone.advance(seconds(100));
  EXPECT_TRUE(lone.replies.empty());
}

TEST_F(Configure, ANewMtuBoundsThePaddingFromThenOn) {
  ASSERT_TRUE(lone.greet(peer));
  const Message packet = inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("10.0.0.2"), 1290);
  lone.send({packet});
  EXPECT_EQ(lone.replies.at(0).size(), 32u + 1296u);
  tunnel.set_mtu(1291);
  lone.send({packet});
  EXPECT_EQ(lone.replies.at(0).size(), 32u + 1291u);
}

TEST_F(Configure, ForgottenLocalAddressesAreChosenAnew) {
  ASSERT_TRUE(lone.greet(peer));
  lone.send({kPacket});
  ASSERT_EQ(lone.sent.at(0).local.ip, lone.local);
  tunnel.forget_local_addresses();
  lone.send({kPacket});
  EXPECT_EQ(lone.sent.at(0).local, Local{});
  EXPECT_EQ(lone.sent.at(0).remote, lone.endpoint);
  lone.receive(peer.keepalive());
  lone.send({kPacket});
  EXPECT_EQ(lone.sent.at(0).local.ip, lone.local) << "until the peer is heard from again";
}

TEST_F(Configure, ChangesInAnyOrderAmongTrafficLeaveNothingBehind) {
  std::mt19937 random(7);
  const auto below = [&](uint32_t bound) { return random() % bound; };
  std::vector<PaperPeer> peers = {peer};
  for (int i = 0; i < 5; ++i) peers.push_back(lone.add_peer({}));
  for (int i = 0; i < 4000; ++i) {
    PaperPeer& some = peers[below(6)];
    const crypto::PublicKey key = some.public_key();
    const Prefix one = Prefix::of(*Ip::parse("10.0.0.2"), static_cast<uint8_t>(below(33)));
    switch (below(12)) {
      case 0:
        tunnel.remove_peer(key);
        break;
      case 1:
        if (!tunnel.has_peer(key)) tunnel.add_peer({key, {}, lone.endpoint, {one}, seconds(below(2) * 25)}, lone.now);
        break;
      case 2:
        tunnel.allow_ip(key, one);
        break;
      case 3:
        tunnel.disallow_ip(key, one);
        break;
      case 4:
        if (below(10) == 0) tunnel.disallow_all_ips(key);
        break;
      case 5:
        tunnel.set_persistent_keepalive(key, seconds(below(2) * 10), lone.now);
        break;
      case 6:
        if (below(20) == 0) tunnel.set_private_key(crypto::generate_private_key(), lone.now);
        for (PaperPeer& each : peers) each.remote_static = tunnel.public_key().bytes;
        break;
      case 7:
        if (below(5) == 0) tunnel.set_down();
        lone.send({kPacket});
        if (below(2) == 0) lone.up();
        break;
      case 8:
        lone.send({kPacket, kPacket});
        for (const Message& sent : lone.replies) {
          if (sent[0] == 1 && some.consume_initiation(sent)) lone.receive(some.response());
        }
        break;
      case 9:
        if (!lone.greet(some)) lone.replies.clear();
        break;
      case 10:
        lone.receive({some.data(kAnswer), some.keepalive()});
        break;
      default:
        lone.advance(milliseconds(below(8000)));
    }
    lone.sent.clear();
  }
  tunnel.remove_all_peers();
  EXPECT_EQ(lone.pool.available(), lone.pool.slots());
  EXPECT_EQ(tunnel.next_deadline(), kNever);
  EXPECT_TRUE(tunnel.peers().empty());
}

}  // namespace
}  // namespace adit::tunnel
