#include "tunnel/rate_limit.h"

#include <gtest/gtest.h>

namespace adit::tunnel {
namespace {

constexpr Time kStart{seconds(500)};
const Ip kSource = *Ip::parse("192.0.2.1");

int allowed(RateLimiter& limiter, const Ip& source, Time now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += limiter.allow(source, now) ? 1 : 0;
  return count;
}

TEST(RateLimiter, AllowsFiveAtOnceAndTwentyASecond) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, kSource, kStart, 100), 5);
  EXPECT_EQ(allowed(limiter, kSource, kStart + milliseconds(49), 100), 0);
  EXPECT_EQ(allowed(limiter, kSource, kStart + milliseconds(50), 100), 1);
  int in_a_second = 0;
  for (int i = 0; i < 1000; ++i) in_a_second += allowed(limiter, kSource, kStart + milliseconds(51 + i), 3);
  EXPECT_EQ(in_a_second, 20);
}

TEST(RateLimiter, SilenceEarnsNoMoreThanTheBurst) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, kSource, kStart, 100), 5);
  EXPECT_EQ(allowed(limiter, kSource, kStart + milliseconds(900), 100), 5);
  EXPECT_EQ(allowed(limiter, kSource, kStart + seconds(3600), 100), 5);
}

TEST(ErrorLimit, AllowsAHundredAtOnceAndAHundredASecond) {
  ErrorLimit limit;
  const auto allowed_of = [&](Time now, int tries) {
    int count = 0;
    for (int i = 0; i < tries; ++i) count += limit.allow(now) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(allowed_of(kStart, 1000), 100);
  EXPECT_EQ(allowed_of(kStart + milliseconds(9), 1000), 0);
  EXPECT_EQ(allowed_of(kStart + milliseconds(10), 1000), 1);
  EXPECT_EQ(allowed_of(kStart + milliseconds(1000), 1000), 99);
  EXPECT_EQ(allowed_of(kStart + seconds(3600), 1000), 100);
}

TEST(RateLimiter, SourcesDoNotDisturbEachOther) {
  RateLimiter limiter;
  EXPECT_EQ(allowed(limiter, kSource, kStart, 100), 5);
  EXPECT_EQ(allowed(limiter, *Ip::parse("192.0.2.2"), kStart, 100), 5);
}

TEST(RateLimiter, AnIpv6SourceIsItsFirst64Bits) {
  RateLimiter limiter;
  int count = 0;
  for (uint8_t i = 0; i < 100; ++i) {
    std::array<uint8_t, 16> address = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1, i, 0, 0, 0, 0, 0, 0, i};
    count += limiter.allow(Ip::v6(address), kStart) ? 1 : 0;
  }
  EXPECT_EQ(count, 5);
  EXPECT_EQ(limiter.sources(), 1u);
  EXPECT_TRUE(limiter.allow(*Ip::parse("2001:db8:0:2::1"), kStart));
}

TEST(RateLimiter, RemembersABoundedNumberOfSourcesAndRefusesTheRest) {
  RateLimiter limiter;
  for (uint32_t i = 0; i < 65536; ++i) ASSERT_TRUE(limiter.allow(Ip::v4(i), kStart));
  EXPECT_FALSE(limiter.allow(Ip::v4(70'000), kStart));
  EXPECT_TRUE(limiter.allow(Ip::v4(5), kStart)) << "those known are served";
  EXPECT_EQ(limiter.sources(), 65536u);
}

TEST(RateLimiter, ForgetsSourcesThatWereSilentForASecond) {
  RateLimiter limiter;
  for (uint32_t i = 0; i < 1000; ++i) ASSERT_TRUE(limiter.allow(Ip::v4(i), kStart));
  EXPECT_TRUE(limiter.allow(kSource, kStart + milliseconds(1001)));
  EXPECT_EQ(limiter.sources(), 1u);
}

TEST(LoadMeter, ABurstOfHalfItsDepthIsNoLoad) {
  LoadMeter meter;
  for (int i = 0; i < 128; ++i) EXPECT_FALSE(meter.message_arrived(kStart)) << i;
  EXPECT_TRUE(meter.message_arrived(kStart));
}

TEST(LoadMeter, APaceWeCanAffordIsNoLoadHoweverLongItLasts) {
  LoadMeter meter;
  for (int i = 0; i < 10'000; ++i) EXPECT_FALSE(meter.message_arrived(kStart + i * milliseconds(2))) << i;
}

TEST(LoadMeter, LoadLingersForASecondAfterItWasLastHigh) {
  LoadMeter meter;
  for (int i = 0; i < 129; ++i) static_cast<void>(meter.message_arrived(kStart));
  EXPECT_TRUE(meter.message_arrived(kStart + milliseconds(999)));
  EXPECT_FALSE(meter.message_arrived(kStart + milliseconds(1001)));
}

TEST(LoadMeter, AFloodIsForgottenSoonAfterItEnds) {
  LoadMeter meter;
  for (int i = 0; i < 100'000; ++i) static_cast<void>(meter.message_arrived(kStart));
  EXPECT_FALSE(meter.message_arrived(kStart + seconds(2)));
}

}  // namespace
}  // namespace adit::tunnel
