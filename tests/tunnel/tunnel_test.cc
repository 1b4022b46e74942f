#include "tunnel/tunnel.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/support/wire.h"

namespace adit::tunnel {
namespace {

TEST(Tunnel, FirstPacketWaitsForTheHandshakeAndArrivesUnchanged) {
  Wire wire;
  const auto packet = inner_packet(wire.a.ip, wire.b.ip, 100);
  wire.send_bytes(wire.a, packet);
  ASSERT_EQ(wire.b.received.size(), 1u);
  EXPECT_EQ(wire.b.received[0], packet);
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 1u);
  EXPECT_EQ(wire.count(wire.b, MessageType::kResponse), 1u);
  EXPECT_EQ(wire.count(wire.a, MessageType::kData), 1u);
  EXPECT_EQ(wire.log.size(), 3u);
}

TEST(Tunnel, AnAnsweredSideSendsBackOnTheSameSession) {
  Wire wire;
  wire.send(wire.a, 100);
  wire.send(wire.b, 1420);
  ASSERT_EQ(wire.a.received.size(), 1u);
  EXPECT_EQ(wire.a.received[0].size(), 1420u);
  EXPECT_EQ(wire.log.size(), 4u);
}

TEST(Tunnel, AnHourOfTrafficRekeysEveryTwoMinutes) {
  Wire wire;
  for (int i = 0; i < 3600; ++i) {
    wire.send(wire.a, 200);
    wire.send(wire.b, 200);
    wire.advance(seconds(1));
  }
  EXPECT_EQ(wire.a.received.size(), 3600u);
  EXPECT_EQ(wire.b.received.size(), 3600u);
  EXPECT_EQ(wire.count(wire.a, MessageType::kInitiation), 30u);
  EXPECT_EQ(wire.count(wire.b, MessageType::kInitiation), 0u);
}

/// Packets that can be told apart, on a wire that loses, doubles and reorders datagrams.
class RoughCrossing {
 public:
  explicit RoughCrossing(uint32_t seed) : random_(seed) {
    wire.set_fate([this](const Wire::Sent&) { return below(100) < 10 ? 0 : below(100) < 5 ? 2 : 1; });
  }

  /// Some packets from either side cross each other; then time passes.
  void step() {
    wire.hold();
    for (int i = below(4); i > 0; --i) send(below(3) == 0 ? wire.b : wire.a);
    for (size_t i = wire.waiting(); i > 1; --i) wire.swap(i - 1, static_cast<size_t>(below(static_cast<int>(i))));
    wire.release();
    wire.advance(milliseconds(below(100) == 0 ? 200'000 : below(1500)));
  }

  /// Every packet that came out was sent, and came out once, on the other side.
  void check(const Side& side) const {
    std::map<std::vector<uint8_t>, int> arrived;
    for (const auto& packet : side.received) {
      ASSERT_EQ(++arrived[packet], 1);
      ASSERT_EQ(sent_.at(packet), side.name);
    }
  }
  [[nodiscard]] size_t sent() const { return sent_.size(); }

  Wire wire;

 private:
  int below(int bound) { return static_cast<int>(random_() % static_cast<uint32_t>(bound)); }
  void send(Side& from) {
    auto packet = inner_packet(from.ip, wire.other(from).ip, 24 + static_cast<size_t>(below(300)));
    store_be32(&packet[20], ++number_);
    sent_[packet] = wire.other(from).name;
    wire.send_bytes(from, packet);
  }

  std::mt19937 random_;
  uint32_t number_ = 0;
  std::map<std::vector<uint8_t>, std::string> sent_;
};

TEST(Tunnel, OnARoughWireEveryPacketArrivesAtMostOnceAndMostDo) {
  for (const uint32_t seed : {1u, 2u, 3u}) {
    RoughCrossing crossing(seed);
    for (int i = 0; i < 1000; ++i) crossing.step();
    crossing.check(crossing.wire.a);
    crossing.check(crossing.wire.b);
    const size_t received = crossing.wire.a.received.size() + crossing.wire.b.received.size();
    EXPECT_GT(received, crossing.sent() * 80 / 100);
    EXPECT_LT(received, crossing.sent());
    EXPECT_GT(crossing.wire.a.drops(Drop::kReplayed), 0u);
    EXPECT_EQ(crossing.wire.a.drops(Drop::kForged), 0u);
    EXPECT_EQ(crossing.wire.a.pool.available(), crossing.wire.a.pool.slots());
  }
}

TEST(Tunnel, KnowsAPeerOnce) {
  Wire wire;
  PeerSettings settings;
  settings.public_key = wire.b.tunnel->public_key();
  EXPECT_THROW(wire.a.tunnel->add_peer(settings, wire.now), std::invalid_argument);
}

TEST(Tunnel, StatusShowsWhatWasConfigured) {
  Wire wire({.keepalive_a = seconds(25)});
  const PeerStatus status = wire.status_of(wire.b);
  EXPECT_EQ(status.public_key, wire.b.tunnel->public_key());
  EXPECT_EQ(status.endpoint, wire.b.endpoint);
  EXPECT_EQ(status.allowed_ips, std::vector<Prefix>{Prefix::of(wire.b.ip, 32)});
  EXPECT_EQ(status.persistent_keepalive, seconds(25));
  EXPECT_EQ(status.received_bytes, 0u);
}

TEST(Tunnel, AnEndpointSetForNobodyIsIgnored) {
  Wire wire;
  wire.a.tunnel->set_endpoint(wire.a.tunnel->public_key(), wire.b.endpoint, wire.now);
  EXPECT_TRUE(wire.log.empty());
}

TEST(Tunnel, ANewEndpointIsUsedFromThenOn) {
  Wire wire;
  wire.send(wire.a, 100);
  const Endpoint moved = *Endpoint::parse("203.0.113.1:1");
  wire.a.tunnel->set_endpoint(wire.b.tunnel->public_key(), moved, wire.now);
  EXPECT_EQ(wire.status_of(wire.b).endpoint, moved);
  wire.send(wire.b, 100);
  EXPECT_EQ(wire.status_of(wire.b).endpoint, wire.b.endpoint) << "until the peer is heard from elsewhere";
}

}  // namespace
}  // namespace adit::tunnel
