// A batch is what its packets are one by one.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/forward/bench.h"

namespace adit::forward {
namespace {

/// More than are looked ahead for at once, and more flows than are thought to be few.
constexpr uint32_t kClients = 5000;
constexpr size_t kInBatch = 3 * kBatchSize + 5;

Settings two_rules() {
  Rule game = rule_to("10.1.2.2:34197");
  game.max_flows = game.max_flows_per_source = kClients;
  Rule voice = rule_to("10.1.2.3:9987");
  voice.max_flows = 3;  // who comes later pushes out who came before, within the batch
  return settings_of({game, voice});
}

Endpoint client(uint32_t number) { return {ip("198.51.100.7"), static_cast<uint16_t>(1000 + number)}; }
PublicSide side(uint32_t number, ListenerId listener) { return {listener, client(number), ip("203.0.113.1")}; }

/// The same forwarder twice: what it is given one by one, and what in batches.
class Batch : public ::testing::Test {
 protected:
  Batch() {
    for (uint32_t i = 0; i < kClients; ++i) {
      one_by_one_.open(side(i, 0));
      in_batches_.open(side(i, 0));
    }
  }

  PacketPool pool_{4 * kInBatch, 2048};  // before the benches, which may hold one of its packets
  Bench one_by_one_{two_rules()};
  Bench in_batches_{two_rules()};
};

TEST_F(Batch, FromClientsKnownNewAndPushedOut) {
  for (ListenerId listener = 0; listener < 2; ++listener) {
    Datagrams batch;
    PacketBatch expected;
    for (uint32_t i = 0; i < kInBatch; ++i) {
      const uint32_t number = i * 7919 % (kClients / (i % 3 + 1));
      const std::string payload(i == 100 ? 1900 : i % 50, 'x');  // one is cut
      batch.push_back({packet_of(pool_, payload), client(number), Local{ip("203.0.113.1")}});
      (void)one_by_one_.forwarder().from_public(side(number, listener), packet_of(pool_, payload), at(seconds(1)),
                                                pool_, expected);
    }
    PacketBatch inner;
    in_batches_.forwarder().from_public(listener, batch, at(seconds(1)), pool_, inner);
    ASSERT_EQ(inner.size(), expected.size());
    for (size_t i = 0; i < inner.size(); ++i) ASSERT_EQ(text_of(inner[i]), text_of(expected[i])) << i;
    EXPECT_EQ(in_batches_.stats(listener).flows_evicted, one_by_one_.stats(listener).flows_evicted);
    EXPECT_EQ(in_batches_.stats(listener).flows_opened, one_by_one_.stats(listener).flows_opened);
    EXPECT_EQ(in_batches_.stats(listener).packets_in, one_by_one_.stats(listener).packets_in);
  }
  EXPECT_GT(in_batches_.stats(1).flows_evicted, 0u);
}

TEST_F(Batch, FromTheTunnelAnswersStrangersAndErrors) {
  const Endpoint service = endpoint("10.1.2.2:34197");
  PacketBatch batch;
  std::vector<Release> expected;
  std::vector<PublicSide> clients;
  for (uint32_t i = 0; i < kInBatch; ++i) {
    const Endpoint ours = one_by_one_.open(side(i * 31 % kClients, 0), at(seconds(1)));
    ASSERT_EQ(in_batches_.open(side(i * 31 % kClients, 0), at(seconds(1))), ours);
    const Endpoint from = i % 5 == 4 ? endpoint("10.1.2.2:1") : service;
    batch.push_back(udp_packet(pool_, from, ours, "answer"));
    if (i % 7 == 6) batch.back().bytes()[27] ^= 1;  // the checksum
    if (i % 11 == 10) batch.back() = packet_of(pool_, "no packet");
    expected.push_back(one_by_one_.deliver(packet_of(pool_, text_of(batch.back())), at(seconds(1))));
    clients.push_back(one_by_one_.to());
  }
  std::vector<Released> released(1);
  in_batches_.forwarder().from_tunnel(batch, at(seconds(1)), released);
  ASSERT_EQ(released.size(), batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    ASSERT_EQ(released[i].what, expected[i]) << i;
    if (expected[i] != Release::kToPublic) continue;
    ASSERT_EQ(released[i].to, clients[i]) << i;
    ASSERT_EQ(text_of(batch[i]), "answer");
  }
  for (const Release each : {Release::kToPublic, Release::kNotOurs, Release::kDropped})
    EXPECT_NE(std::ranges::count(expected, each), 0);
}

TEST_F(Batch, OfNothing) {
  PacketBatch inner;
  in_batches_.forwarder().from_public(0, {}, at(seconds(1)), pool_, inner);
  EXPECT_TRUE(inner.empty());
  std::vector<Released> released(1);
  in_batches_.forwarder().from_tunnel({}, at(seconds(1)), released);
  EXPECT_TRUE(released.empty());
}

}  // namespace
}  // namespace adit::forward
