#include "forward/flow_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

#include "tests/forward/packets.h"

namespace adit::forward {
namespace {

PublicSide client(uint32_t number) {
  return {.listener = 0,
          .client = {Ip::v4(0xc6336400 + (number >> 8)), static_cast<uint16_t>(number & 0xff)},
          .local = ip("203.0.113.1")};
}

TunnelSide inside(uint32_t number) {
  return {.ours = {Ip::v4(0x0a010205 + (number >> 16)), static_cast<uint16_t>(number & 0xffff)},
          .remote = endpoint("10.1.2.2:34197")};
}

/// The rule's flows from the longest idle on, by closing them all.
std::vector<FlowIndex> drain(FlowTable& table, RuleId rule, FlowState state = FlowState::kUnanswered) {
  std::vector<FlowIndex> order;
  while (table.longest_idle(rule, state) != kNoFlow) {
    order.push_back(table.longest_idle(rule, state));
    table.close(order.back());
  }
  return order;
}

TEST(FlowTable, FindsAFlowByEitherSide) {
  FlowTable table(1, 10, 0);
  const FlowIndex flow = table.open(client(1), inside(1), 0, 0, at(seconds(0)));
  EXPECT_NE(flow, kNoFlow);
  EXPECT_EQ(table.find(client(1)), flow);
  EXPECT_EQ(table.find(inside(1)), flow);
  EXPECT_EQ(table.find(client(2)), kNoFlow);
  EXPECT_EQ(table.find(inside(2)), kNoFlow);
}

TEST(FlowTable, EveryPartOfThePublicSideTellsFlowsApart) {
  FlowTable table(1, 10, 0);
  table.open(client(1), inside(1), 0, 0, at(seconds(0)));
  const auto is_found = [&](auto change) {
    PublicSide side = client(1);
    change(side);
    return table.find(side) != kNoFlow;
  };
  EXPECT_TRUE(is_found([](PublicSide&) {}));
  EXPECT_FALSE(is_found([](PublicSide& side) { side.listener = 1; }));
  EXPECT_FALSE(is_found([](PublicSide& side) { side.client.port = 9; }));
  EXPECT_FALSE(is_found([](PublicSide& side) { side.client.ip = ip("2001:db8::1"); }));
  EXPECT_FALSE(is_found([](PublicSide& side) { side.client.scope = 3; }));
  EXPECT_FALSE(is_found([](PublicSide& side) { side.local = ip("203.0.113.2"); }));
}

TEST(FlowTable, EveryPartOfTheTunnelSideTellsFlowsApart) {
  FlowTable table(1, 10, 0);
  table.open(client(1), inside(1), 0, 0, at(seconds(0)));
  const TunnelSide side = inside(1);
  EXPECT_EQ(table.find(TunnelSide{.ours = {side.ours.ip, 2}, .remote = side.remote}), kNoFlow);
  EXPECT_EQ(table.find(TunnelSide{.ours = {ip("10.1.2.6"), 1}, .remote = side.remote}), kNoFlow);
  EXPECT_EQ(table.find(TunnelSide{.ours = side.ours, .remote = endpoint("10.1.2.2:34198")}), kNoFlow);
  EXPECT_EQ(table.find(TunnelSide{.ours = side.ours, .remote = endpoint("10.1.2.3:34197")}), kNoFlow);
}

TEST(FlowTable, AClosedFlowIsGoneFromBothSidesAndItsSlotIsFree) {
  FlowTable table(1, 1, 0);
  table.close(table.open(client(1), inside(1), 0, 0, at(seconds(0))));
  EXPECT_EQ(table.find(client(1)), kNoFlow);
  EXPECT_EQ(table.find(inside(1)), kNoFlow);
  EXPECT_EQ(table.size(), 0u);
  const FlowIndex next = table.open(client(2), inside(2), 0, 0, at(seconds(1)));
  EXPECT_EQ(table.find(client(2)), next);
}

TEST(FlowTable, OrdersFlowsByLastUse) {
  FlowTable table(1, 10, 0);
  std::vector<FlowIndex> flow;
  for (uint32_t i = 0; i < 4; ++i) flow.push_back(table.open(client(i), inside(i), 0, 0, at(seconds(i))));
  table.refresh(flow[0], at(seconds(10)));
  table.refresh(flow[2], at(seconds(11)));
  table.refresh(flow[2], at(seconds(12)));
  EXPECT_EQ(table[flow[2]].last_seen, at(seconds(12)));
  EXPECT_EQ(drain(table, 0), (std::vector{flow[1], flow[3], flow[0], flow[2]}));
}

TEST(FlowTable, KeepsAnOrderForEachRule) {
  FlowTable table(2, 10, 0);
  const FlowIndex first = table.open(client(1), inside(1), 1, 0, at(seconds(0)));
  const FlowIndex second = table.open(client(2), inside(2), 0, 0, at(seconds(1)));
  EXPECT_EQ(table.longest_idle(1, FlowState::kUnanswered), first);
  EXPECT_EQ(table.longest_idle(0, FlowState::kUnanswered), second);
  table.refresh(first, at(seconds(5)));
  EXPECT_EQ(table.longest_idle(1, FlowState::kUnanswered), first);
  table.close(first);
  EXPECT_EQ(table.longest_idle(1, FlowState::kUnanswered), kNoFlow);
  EXPECT_EQ(table.longest_idle(0, FlowState::kUnanswered), second);
}

TEST(FlowTable, KeepsAnOrderForEachState) {
  FlowTable table(1, 10, 0);
  std::vector<FlowIndex> flow;
  for (uint32_t i = 0; i < 5; ++i) flow.push_back(table.open(client(i), inside(i), 0, 0, at(seconds(i))));
  table.promote(flow[3], FlowState::kAnswered, at(seconds(10)));
  table.promote(flow[1], FlowState::kAnswered, at(seconds(10)));
  table.promote(flow[3], FlowState::kEstablished, at(seconds(11)));
  table.refresh(flow[0], at(seconds(12)));
  EXPECT_EQ(table[flow[1]].state, FlowState::kAnswered);
  EXPECT_EQ(table[flow[1]].last_seen, at(seconds(10)));
  EXPECT_EQ(table.last_used(0, FlowState::kUnanswered), flow[0]);
  EXPECT_EQ(drain(table, 0, FlowState::kUnanswered), (std::vector{flow[2], flow[4], flow[0]}));
  EXPECT_EQ(drain(table, 0, FlowState::kAnswered), std::vector{flow[1]});
  EXPECT_EQ(drain(table, 0, FlowState::kEstablished), std::vector{flow[3]});
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, ARestoredFlowIsTheLeastRecent) {
  FlowTable table(1, 10, 0);
  const FlowIndex young = table.restore(client(1), inside(1), 0, 0, FlowState::kEstablished, at(seconds(2)));
  const FlowIndex old = table.restore(client(2), inside(2), 0, 0, FlowState::kEstablished, at(seconds(1)));
  EXPECT_EQ(table.find(client(2)), old);
  EXPECT_EQ(table.find(inside(1)), young);
  EXPECT_EQ(drain(table, 0, FlowState::kEstablished), (std::vector{old, young}));
}

TEST(FlowTable, PrefetchingChangesNothingWhateverItIsAskedFor) {
  FlowTable table(1, 1000, 0);
  for (uint32_t i = 0; i < 1000; i += 2) table.open(client(i), inside(i), 0, 0, at(seconds(0)));
  for (uint32_t i = 0; i < 1000; ++i) {
    const FlowHash by_public = table.hash(client(i));
    const FlowHash by_tunnel = table.hash(inside(i));
    table.prefetch_public_bucket(by_public);
    table.prefetch_tunnel_bucket(by_tunnel);
    table.prefetch_public(by_public);
    table.prefetch_tunnel(by_tunnel);
    EXPECT_EQ(table.find(client(i), by_public) != kNoFlow, i % 2 == 0);
    EXPECT_EQ(table.find(inside(i), by_tunnel), table.find(client(i)));
  }
}

TEST(FlowTable, ATableForNoFlowsFindsNothing) {
  FlowTable table(0, 0, 0);
  EXPECT_EQ(table.find(client(1)), kNoFlow);
  EXPECT_EQ(table.find(inside(1)), kNoFlow);
}

TEST(FlowTable, HoldsAHundredThousandFlows) {
  constexpr uint32_t kFlows = 100000;
  FlowTable table(1, kFlows, 0x1234567890abcdef);
  for (uint32_t i = 0; i < kFlows; ++i) table.open(client(i), inside(i), 0, i, at(nanoseconds(i)));
  EXPECT_EQ(table.size(), kFlows);
  for (uint32_t i = 0; i < kFlows; ++i) {
    const FlowIndex flow = table.find(client(i));
    ASSERT_NE(flow, kNoFlow);
    ASSERT_EQ(table[flow].source, i);
    ASSERT_EQ(table.find(inside(i)), flow);
  }
  EXPECT_EQ(drain(table, 0).size(), kFlows);
  EXPECT_EQ(table.size(), 0u);
}

TEST(FlowTable, AgreesWithAMapHoweverFlowsComeAndGo) {
  FlowTable table(3, 64, 77);
  std::map<uint32_t, std::pair<FlowIndex, Time>> expected;  // by the client's number; its rule is the number modulo 3
  std::mt19937 random(3);
  for (int step = 0; step < 30000; ++step) {
    const Time now = at(milliseconds(step));
    const auto number = static_cast<uint32_t>(random() % 100);
    const auto known = expected.find(number);
    ASSERT_EQ(table.find(client(number)), known == expected.end() ? kNoFlow : known->second.first);
    ASSERT_EQ(table.find(inside(number)), known == expected.end() ? kNoFlow : known->second.first);
    if (known == expected.end()) {
      if (expected.size() == 64) continue;
      expected[number] = {table.open(client(number), inside(number), number % 3, 0, now), now};
    } else if (random() % 3 == 0) {
      table.close(known->second.first);
      expected.erase(known);
    } else {
      table.refresh(known->second.first, now);
      known->second.second = now;
    }
    for (RuleId rule = 0; rule < 3; ++rule) {
      Time oldest = kNever;
      for (const auto& [n, flow] : expected) oldest = n % 3 == rule ? std::min(oldest, flow.second) : oldest;
      const FlowIndex idle = table.longest_idle(rule, FlowState::kUnanswered);
      ASSERT_EQ(idle == kNoFlow ? kNever : table[idle].last_seen, oldest);
    }
  }
}

}  // namespace
}  // namespace adit::forward
