#include "crypto/random.h"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <vector>

namespace adit::crypto {
namespace {

TEST(RandomBytes, FillExactlyTheirSpan) {
  for (size_t size = 0; size <= 64; ++size) {
    std::vector<uint8_t> seen(size, 0);  // bits that were 1 in some draw
    for (int round = 0; round < 64; ++round) {
      std::vector<uint8_t> memory(size + 2, 0xa5);
      random_bytes(std::span(memory).subspan(1, size));
      EXPECT_EQ(memory.front(), 0xa5);
      EXPECT_EQ(memory.back(), 0xa5);
      for (size_t i = 0; i < size; ++i) seen[i] |= memory[i + 1];
    }
    EXPECT_EQ(seen, std::vector<uint8_t>(size, 0xff));
  }
}

TEST(RandomNumbers, DoNotRepeat) {
  std::set<uint64_t> seen;
  for (int round = 0; round < 1000; ++round) seen.insert(random_u64());
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(RandomNumbers, UseEveryBit) {
  uint64_t ones = 0, zeros = 0;
  uint32_t small_ones = 0, small_zeros = 0;
  for (int round = 0; round < 64; ++round) {
    const uint64_t number = random_u64();
    ones |= number;
    zeros |= ~number;
    const uint32_t small = random_u32();
    small_ones |= small;
    small_zeros |= ~small;
  }
  EXPECT_EQ(ones, UINT64_MAX);
  EXPECT_EQ(zeros, UINT64_MAX);
  EXPECT_EQ(small_ones, UINT32_MAX);
  EXPECT_EQ(small_zeros, UINT32_MAX);
}

TEST(RandomBelow, ReachesEveryNumberBelowTheBoundAndNoOther) {
  for (const uint32_t bound : {1u, 2u, 3u, 10u}) {
    std::set<uint32_t> seen;
    for (int round = 0; round < 1000; ++round) seen.insert(random_below(bound));
    EXPECT_EQ(seen.size(), bound);
    EXPECT_EQ(*seen.rbegin(), bound - 1);
  }
}

// With a plain remainder the numbers below 2^30 would come up half of the time, not a third.
TEST(RandomBelow, IsUniformForBoundsThatDoNotDivideTwoToThe32) {
  int low = 0;
  for (int round = 0; round < 10000; ++round) low += random_below(3u << 30) < 1u << 30;
  EXPECT_NEAR(low, 3333, 400);  // more than eight standard deviations
}

}  // namespace
}  // namespace adit::crypto
