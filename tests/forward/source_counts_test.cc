#include "forward/source_counts.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "tests/forward/packets.h"

namespace adit::forward {
namespace {

TEST(SourceCounts, CountsEachIpv4AddressByItself) {
  SourceCounts counts(10, 0);
  counts.add(0, ip("192.0.2.1"));
  counts.add(0, ip("192.0.2.1"));
  counts.add(0, ip("192.0.2.2"));
  EXPECT_EQ(counts.flows_of(0, ip("192.0.2.1")), 2u);
  EXPECT_EQ(counts.flows_of(0, ip("192.0.2.2")), 1u);
  EXPECT_EQ(counts.flows_of(0, ip("192.0.2.3")), 0u);
}

TEST(SourceCounts, CountsAnIpv6SubnetOf64BitsAsOne) {
  SourceCounts counts(10, 0);
  counts.add(0, ip("2001:db8:0:1::1"));
  counts.add(0, ip("2001:db8:0:1:ffff:ffff:ffff:ffff"));
  counts.add(0, ip("2001:db8:0:2::1"));
  EXPECT_EQ(counts.flows_of(0, ip("2001:db8:0:1:1234::")), 2u);
  EXPECT_EQ(counts.flows_of(0, ip("2001:db8:0:2::9")), 1u);
  EXPECT_EQ(counts.flows_of(0, ip("2001:db8::1")), 0u);
}

TEST(SourceCounts, CountsEachRuleByItself) {
  SourceCounts counts(10, 0);
  counts.add(0, ip("192.0.2.1"));
  EXPECT_EQ(counts.flows_of(1, ip("192.0.2.1")), 0u);
}

TEST(SourceCounts, ForgetsASourceWithItsLastFlow) {
  SourceCounts counts(2, 0);
  const SourceIndex source = counts.add(0, ip("192.0.2.1"));
  EXPECT_EQ(counts.add(0, ip("192.0.2.1")), source);
  counts.remove(source);
  EXPECT_EQ(counts.flows_of(0, ip("192.0.2.1")), 1u);
  EXPECT_EQ(counts.size(), 1u);
  counts.remove(source);
  EXPECT_EQ(counts.flows_of(0, ip("192.0.2.1")), 0u);
  EXPECT_EQ(counts.size(), 0u);
}

TEST(SourceCounts, AgreesWithAMapHoweverFlowsComeAndGo) {
  SourceCounts counts(200, 99);
  std::map<uint32_t, uint32_t> expected;
  std::vector<std::pair<uint32_t, SourceIndex>> flows;
  std::mt19937 random(2);
  for (int step = 0; step < 20000; ++step) {
    if (random() % 2 == 0 && flows.size() < 200) {
      const auto address = static_cast<uint32_t>(random() % 40);
      flows.emplace_back(address, counts.add(0, Ip::v4(address)));
      ++expected[address];
    } else if (!flows.empty()) {
      std::swap(flows[random() % flows.size()], flows.back());
      counts.remove(flows.back().second);
      --expected[flows.back().first];
      flows.pop_back();
    }
    const auto address = static_cast<uint32_t>(random() % 40);
    ASSERT_EQ(counts.flows_of(0, Ip::v4(address)), expected[address]);
  }
}

}  // namespace
}  // namespace adit::forward
