#include "forward/source_rates.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/forward/packets.h"

namespace adit::forward {
namespace {

constexpr Duration kTenASecond = milliseconds(100);

int allowed(SourceRates& rates, const Ip& client, Duration cost, Time now, int tries, RuleId rule = 0) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += rates.allow(rule, client, cost, now) ? 1 : 0;
  return count;
}

TEST(SourceRates, AllowsASecondsWorthAtOnceAndThenThePace) {
  SourceRates rates(1);
  const Ip client = ip("198.51.100.7");
  EXPECT_EQ(allowed(rates, client, kTenASecond, at(seconds(0)), 100), 10);
  EXPECT_EQ(allowed(rates, client, kTenASecond, at(milliseconds(99)), 100), 0);
  EXPECT_EQ(allowed(rates, client, kTenASecond, at(milliseconds(100)), 100), 1);
  EXPECT_EQ(allowed(rates, client, kTenASecond, at(milliseconds(600)), 100), 5);
  EXPECT_EQ(allowed(rates, client, kTenASecond, at(seconds(3600)), 100), 10) << "silence earns no more than the burst";
}

TEST(SourceRates, APaceThatDoesNotDivideASecondIsNotExceeded) {
  SourceRates rates(1);
  EXPECT_EQ(allowed(rates, ip("198.51.100.7"), Duration(seconds(1)) / 3, at(seconds(0)), 9), 3);
}

TEST(SourceRates, CountsIpv4AddressesIpv6SubnetsAndRulesByThemselves) {
  SourceRates rates(1);
  EXPECT_EQ(allowed(rates, ip("198.51.100.7"), kTenASecond, at(seconds(0)), 100), 10);
  EXPECT_EQ(allowed(rates, ip("198.51.100.8"), kTenASecond, at(seconds(0)), 100), 10);
  EXPECT_EQ(allowed(rates, ip("198.51.100.7"), kTenASecond, at(seconds(0)), 100, 1), 10);
  EXPECT_EQ(allowed(rates, ip("2001:db8:0:1::1"), kTenASecond, at(seconds(0)), 6), 6);
  EXPECT_EQ(allowed(rates, ip("2001:db8:0:1:ffff::2"), kTenASecond, at(seconds(0)), 100), 4);
  EXPECT_EQ(allowed(rates, ip("2001:db8:0:2::1"), kTenASecond, at(seconds(0)), 100), 10);
}

TEST(SourceRates, AMillionSourcesBuyAnOffenderNothing) {
  SourceRates rates(1);
  const Ip offender = ip("198.51.100.7");
  std::mt19937 random(5);
  int opened = 0;
  constexpr int kSources = 1'000'000;
  for (int i = 0; i < kSources; ++i) {  // in ten seconds
    const Time now = at(nanoseconds(10'000) * i);
    static_cast<void>(rates.allow(0, Ip::v4(static_cast<uint32_t>(random())), kTenASecond, now));
    if (i % 100 == 0) opened += rates.allow(0, offender, kTenASecond, now) ? 1 : 0;
  }
  EXPECT_LE(opened, 10 + 100);
  EXPECT_GE(opened, 100);
}

TEST(SourceRates, WithMoreSourcesThanItRemembersNobodyExceedsTheRate) {
  SourceRates rates(1);
  constexpr uint32_t kSources = 200'000;  // three times as many
  std::map<uint32_t, int> opened;
  for (int round = 0; round < 4; ++round) {
    for (uint32_t i = 0; i < kSources; ++i) {
      if (rates.allow(0, Ip::v4(i), milliseconds(500), at(milliseconds(round)))) ++opened[i];
    }
  }
  size_t total = 0;
  for (const auto& [source, count] : opened) {
    ASSERT_LE(count, 2);
    total += static_cast<size_t>(count);
  }
  EXPECT_LE(total, 2 * SourceRates::kPlaces) << "the memory is the limit";
  EXPECT_GE(total, 2 * SourceRates::kPlaces * 99 / 100);
  EXPECT_TRUE(rates.allow(0, Ip::v4(kSources), milliseconds(500), at(seconds(2)))) << "and it is forgotten";
}

}  // namespace
}  // namespace adit::forward
