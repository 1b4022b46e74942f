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

}  // namespace
}  // namespace adit::crypto
