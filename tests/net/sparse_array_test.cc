#include "net/sparse_array.h"

#include <gtest/gtest.h>

#include <bit>
#include <map>
#include <random>
#include <string>

namespace adit {
namespace {

TEST(SparseArray, CountsBits) {
  std::mt19937_64 random(1);
  EXPECT_EQ(count_bits(0), 0u);
  EXPECT_EQ(count_bits(UINT64_MAX), 64u);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t bits = random() & random();
    ASSERT_EQ(count_bits(bits), static_cast<unsigned>(std::popcount(bits)));
  }
}

TEST(SparseArray, DoesWhatAMapDoes) {
  std::mt19937 random(1);
  SparseArray<std::string> array;
  std::map<unsigned, std::string> map;
  for (int operation = 0; operation < 20'000; ++operation) {
    const auto place = static_cast<unsigned>(random() % 64);
    if (map.contains(place)) {
      array.erase(place);
      map.erase(place);
    } else {
      array.insert(place, std::to_string(operation));
      map[place] = std::to_string(operation);
    }
    ASSERT_EQ(array.size(), map.size());
    for (unsigned i = 0; i < 64; ++i) {
      const auto found = map.find(i);
      ASSERT_EQ(array.find(i) == nullptr, found == map.end());
      if (found == map.end()) continue;
      ASSERT_EQ(array[i], found->second);
    }
  }
}

TEST(SparseArray, CopiesShareNothingAndWhatIsMovedFromIsEmpty) {
  SparseArray<std::string> first;
  first.insert(63, "last");
  first.insert(0, "first");
  SparseArray<std::string> second = first;
  second[0] = "changed";
  EXPECT_EQ(first[0], "first");
  first = std::move(second);
  EXPECT_EQ(first[0], "changed");
  EXPECT_EQ(first[63], "last");
  EXPECT_EQ(second.size(), 0u);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.find(63), nullptr);
}

}  // namespace
}  // namespace adit
