// Ten thousand peers and more.  Time limits are far above what is needed, and far below what anything quadratic takes.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/support/lone_tunnel.h"
#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

constexpr uint32_t kPeers = 10'000;
constexpr seconds kLimit(20);

class Stopwatch {
 public:
  [[nodiscard]] bool within(seconds limit) const { return std::chrono::steady_clock::now() - start_ < limit; }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

crypto::PublicKey key_of(uint32_t number) {
  crypto::PublicKey key;
  key.bytes[0] = 9;  // no point of low order
  store_le32(&key.bytes[4], number);
  return key;
}

Prefix host(uint32_t number) { return Prefix::of(Ip::v4(0x0a000000 + number), 32); }

struct ManyPeers : ::testing::Test {
  void SetUp() override {
    for (uint32_t i = 0; i < kPeers; ++i) add(i);
  }
  void add(uint32_t i, seconds keepalive = seconds(0)) {
    tunnel.add_peer({key_of(i), {}, lone.endpoint, {host(2 * i), host(2 * i + 1)}, keepalive}, lone.now);
  }

  Stopwatch stopwatch;
  LoneTunnel lone;
  Tunnel& tunnel = lone.tunnel;
};

TEST_F(ManyPeers, AreConfiguredShownAndRemovedInAMoment) {
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < kPeers; ++i) {
      tunnel.disallow_all_ips(key_of(i));
      for (uint32_t j = 0; j < 3; ++j) tunnel.allow_ip(key_of(i), host(3 * i + j));
      tunnel.set_persistent_keepalive(key_of(i), seconds(25), lone.now);
    }
  }
  const std::vector<PeerStatus> shown = tunnel.peers();
  ASSERT_EQ(shown.size(), kPeers);
  EXPECT_EQ(shown[kPeers - 1].public_key, key_of(kPeers - 1));
  EXPECT_EQ(shown[7].allowed_ips, (std::vector{host(21), host(22), host(23)}));
  for (uint32_t i = 0; i < kPeers; i += 2) tunnel.remove_peer(key_of(i));
  tunnel.remove_all_peers();
  EXPECT_TRUE(stopwatch.within(kLimit));
}

TEST_F(ManyPeers, MayLoseAHundredThousandPrefixesOneByOne) {
  constexpr uint32_t kPrefixes = 130'000;
  for (uint32_t i = 0; i < kPrefixes; ++i) tunnel.allow_ip(key_of(1), host(1'000'000 + i));
  for (uint32_t i = 0; i < kPrefixes; i += 2) tunnel.disallow_ip(key_of(1), host(1'000'000 + i));
  for (uint32_t i = 1; i < kPrefixes; i += 2) tunnel.allow_ip(key_of(2), host(1'000'000 + i));
  EXPECT_EQ(tunnel.peers()[1].allowed_ips.size(), 2u);
  EXPECT_EQ(tunnel.peers()[2].allowed_ips.size(), 2 + kPrefixes / 2);
  EXPECT_TRUE(stopwatch.within(kLimit));
}

TEST_F(ManyPeers, DoNotHoldUpTrafficWhenAllHandshakesAreDueAtOnce) {
  for (uint32_t i = 0; i < 300; ++i) tunnel.set_persistent_keepalive(key_of(i), seconds(25), lone.now);
  size_t initiations = 0;
  int ticks = 0;
  for (; tunnel.next_deadline() <= lone.now.mono; ++ticks) {
    Outgoing out;
    tunnel.tick(lone.now, out);
    EXPECT_LE(out.sealed().size(), 8u);
    initiations += out.sealed().size();
  }
  EXPECT_EQ(initiations, 300u);
  EXPECT_EQ(ticks, 38);
  EXPECT_EQ(lone.drops(Drop::kNoBuffer), 0u);
}

TEST_F(ManyPeers, AreAskedOnceWhomAMisdirectedInitiationIsFor) {
  lone.receive(PaperPeer(key_of(kPeers - 1)).initiation());
  for (int look = 0; look < 20'000; ++look) ASSERT_EQ(tunnel.strangers().at(0).key, key_of(kPeers - 1));
  EXPECT_TRUE(stopwatch.within(kLimit));
}

TEST_F(ManyPeers, CostLittleWhileIdle) { EXPECT_LT(sizeof(Peer), 1024u); }

TEST_F(ManyPeers, AreFoundEachByItsAddress) {
  PaperPeer one = lone.add_peer({"192.168.0.1/32"});
  ASSERT_TRUE(lone.greet(one));
  lone.send({inner_packet(*Ip::parse("10.0.0.1"), *Ip::parse("192.168.0.1"), 64)});
  EXPECT_TRUE(one.open(lone.replies.at(0)));
}

}  // namespace
}  // namespace adit::tunnel
