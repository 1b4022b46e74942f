#include "net/drop.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace adit {
namespace {

TEST(DropName, IsDifferentForEveryReason) {
  std::set<std::string_view> names;
  for (size_t reason = 0; reason < kDropCount; ++reason) names.insert(drop_name(static_cast<Drop>(reason)));
  EXPECT_EQ(names.size(), kDropCount);
}

TEST(DropName, IsLowerCaseWithUnderscores) {
  for (size_t reason = 0; reason < kDropCount; ++reason) {
    const std::string_view name = drop_name(static_cast<Drop>(reason));
    EXPECT_FALSE(name.empty()) << reason;
    EXPECT_TRUE(std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; })) << name;
  }
}

// The table stands beside the enum only in thought; a name that slipped by one shows here.
TEST(DropName, StandsBesideItsReason) {
  EXPECT_EQ(drop_name(Drop::kNone), "none");
  EXPECT_EQ(drop_name(Drop::kBadMac), "bad_mac");
  EXPECT_EQ(drop_name(Drop::kUnknownPeer), "unknown_peer");
  EXPECT_EQ(drop_name(Drop::kReplayed), "replayed");
  EXPECT_EQ(drop_name(Drop::kWrongSource), "wrong_source");
  EXPECT_EQ(drop_name(Drop::kStagePurged), "stage_purged");
  EXPECT_EQ(drop_name(Drop::kNotAllowed), "not_allowed");
  EXPECT_EQ(drop_name(Drop::kTooBig), "too_big");
  EXPECT_EQ(drop_name(Drop::kBadUdpLength), "bad_udp_length");
  EXPECT_EQ(drop_name(Drop::kTinyFragment), "tiny_fragment");
  EXPECT_EQ(drop_name(Drop::kFragmentsFull), "fragments_full");
  EXPECT_EQ(drop_name(Drop::kSocketFull), "socket_full");
  EXPECT_EQ(drop_name(Drop::kNoBuffer), "no_buffer");
}

TEST(DropCounters, CountEachReasonForItself) {
  DropCounters counters;
  EXPECT_EQ(counters.total(), 0u);
  counters.count(Drop::kForged);
  counters.count(Drop::kNoRoute, 5);
  counters.count(Drop::kForged);
  EXPECT_EQ(counters[Drop::kForged], 2u);
  EXPECT_EQ(counters[Drop::kNoRoute], 5u);
  EXPECT_EQ(counters[Drop::kReplayed], 0u);
  EXPECT_EQ(counters.total(), 7u);
}

TEST(DropCounters, AddUp) {
  DropCounters a, b;
  a.count(Drop::kForged, 1);
  b.count(Drop::kForged, 2);
  b.count(Drop::kNoBuffer, 4);
  a += b;
  EXPECT_EQ(a[Drop::kForged], 3u);
  EXPECT_EQ(a[Drop::kNoBuffer], 4u);
  EXPECT_EQ(a.total(), 7u);
  EXPECT_EQ(b.total(), 6u);
}

}  // namespace
}  // namespace adit
