#include "tunnel/index_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <vector>

#include "tunnel/peer.h"

namespace adit::tunnel {
namespace {

struct IndexTableTest : ::testing::Test {
  Peer one{Identity(crypto::generate_private_key()).public_key, 1};
  Peer other{Identity(crypto::generate_private_key()).public_key, 2};
  IndexTable table;
};

TEST_F(IndexTableTest, GivesOutEachIndexOnceAndNeverZero) {
  std::set<uint32_t> taken;
  for (int i = 0; i < 10'000; ++i) {
    const uint32_t index = table.take(&one);
    EXPECT_NE(index, 0u);
    EXPECT_TRUE(taken.insert(index).second);
  }
  EXPECT_EQ(table.size(), 10'000u);
}

TEST_F(IndexTableTest, CannotBePredictedFromTheLastOnes) {
  // Random 32-bit numbers: 64 of them set about half of all bits, and no two neighbours are close together.
  uint32_t last = 0;
  int close = 0;
  uint32_t any = 0, all = UINT32_MAX;
  for (int i = 0; i < 64; ++i) {
    const uint32_t index = table.take(&one);
    if (index - last < 1'000'000) ++close;
    any |= index;
    all &= index;
    last = index;
  }
  EXPECT_LE(close, 3);
  EXPECT_EQ(any, UINT32_MAX);
  EXPECT_EQ(all, 0u);
}

TEST_F(IndexTableTest, FindsWhomAnIndexBelongsTo) {
  const uint32_t ones = table.take(&one);
  const uint32_t others = table.take(&other);
  EXPECT_EQ(table.find(ones), &one);
  EXPECT_EQ(table.find(others), &other);
  EXPECT_EQ(table.find(0), nullptr);
}

TEST_F(IndexTableTest, AnIndexGivenBackIsNobodys) {
  const uint32_t index = table.take(&one);
  table.give_back(index);
  EXPECT_EQ(table.find(index), nullptr);
  EXPECT_EQ(table.size(), 0u);
  table.give_back(index);  // no harm
  table.give_back(0);
  EXPECT_EQ(table.find(0), nullptr);
}

TEST_F(IndexTableTest, DoesWhatAMapDoes) {
  std::mt19937 random(1);
  std::map<uint32_t, Peer*> map;
  std::vector<uint32_t> indices;
  for (int operation = 0; operation < 40'000; ++operation) {
    const bool growing = operation / 4000 % 2 == 0;
    if (indices.empty() || random() % 4 < (growing ? 3u : 1u)) {
      Peer* const peer = random() % 2 == 0 ? &one : &other;
      indices.push_back(table.take(peer));
      ASSERT_TRUE(map.emplace(indices.back(), peer).second);
    } else {
      std::swap(indices[random() % indices.size()], indices.back());
      table.give_back(indices.back());
      map.erase(indices.back());
      ASSERT_EQ(table.find(indices.back()), nullptr);
      indices.pop_back();
    }
    ASSERT_EQ(table.size(), map.size());
    if (operation % 1000 != 0) continue;
    for (const auto& [index, peer] : map) ASSERT_EQ(table.find(index), peer);
  }
}

}  // namespace
}  // namespace adit::tunnel
