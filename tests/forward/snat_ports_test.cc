#include "forward/snat_ports.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace adit::forward {
namespace {

TEST(SnatPorts, GivesEveryPortOfTheRangeOnceAndThenNone) {
  SnatPorts ports({2000, 2099}, 12345);
  std::set<uint16_t> seen;
  for (int i = 0; i < 100; ++i) seen.insert(ports.take().value());
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_EQ(*seen.begin(), 2000);
  EXPECT_EQ(*seen.rbegin(), 2099);
  EXPECT_EQ(ports.in_use(), 100u);
  EXPECT_FALSE(ports.take());
}

TEST(SnatPorts, ReachesThePortsAtBothEndsOfTheNumberSpace) {
  SnatPorts ports({1, 65535}, 65000);
  std::set<uint16_t> seen;
  for (int i = 0; i < 65535; ++i) seen.insert(ports.take().value());
  EXPECT_EQ(seen.size(), 65535u);
  EXPECT_FALSE(seen.contains(0));
}

TEST(SnatPorts, StartsWhereTheSeedSays) {
  EXPECT_EQ(SnatPorts({2000, 2099}, 0).take(), 2000);
  EXPECT_EQ(SnatPorts({2000, 2099}, 57).take(), 2057);
  EXPECT_EQ(SnatPorts({2000, 2099}, 199).take(), 2099);
}

TEST(SnatPorts, GivesAReturnedPortOnlyAfterAllThatWereFreeForLonger) {
  SnatPorts ports({2000, 2003}, 0);
  ASSERT_EQ(ports.take(), 2000);
  ports.give_back(2000);
  EXPECT_EQ(ports.take(), 2001);
  EXPECT_EQ(ports.take(), 2002);
  EXPECT_EQ(ports.take(), 2003);
  ports.give_back(2002);
  EXPECT_EQ(ports.take(), 2000);
  EXPECT_EQ(ports.take(), 2002);
  EXPECT_FALSE(ports.take());
}

TEST(SnatPorts, AnEmptyRangeGivesNothing) {
  SnatPorts ports(PortRange{}, 7);
  EXPECT_FALSE(ports.take());
  EXPECT_EQ(ports.in_use(), 0u);
}

TEST(SnatPorts, TakesAPortByItsNumberOnceAndPassesItOverLater) {
  SnatPorts ports({2000, 2004}, 3);  // begins at 2003
  EXPECT_TRUE(ports.take(2004));
  EXPECT_TRUE(ports.take(2000));
  EXPECT_FALSE(ports.take(2004)) << "it is in use";
  EXPECT_FALSE(ports.take(1999));
  EXPECT_FALSE(ports.take(2005));
  EXPECT_EQ(ports.in_use(), 2u);
  EXPECT_EQ(ports.take(), 2003);
  EXPECT_FALSE(ports.take(2003)) << "so is what was taken in turn";
  EXPECT_EQ(ports.take(), 2001);
  ports.give_back(2004);
  EXPECT_EQ(ports.take(), 2002);
  EXPECT_EQ(ports.take(), 2004) << "given back, it is one among the others";
  EXPECT_FALSE(ports.take());
  EXPECT_FALSE(ports.has_free());
}

TEST(SnatPorts, TakenPortsAtTheEndOfTheRangeLeaveNoneToGive) {
  SnatPorts ports({2000, 2001}, 0);
  EXPECT_TRUE(ports.take(2001));
  EXPECT_TRUE(ports.take(2000));
  EXPECT_FALSE(ports.take());
  ports.give_back(2001);
  EXPECT_EQ(ports.take(), 2001);
}

TEST(SnatPorts, PlentyIsAQuarterOfTheRange) {
  SnatPorts ports({2000, 2007}, 0);
  for (int i = 0; i < 5; ++i) static_cast<void>(ports.take());
  EXPECT_TRUE(ports.has_plenty());
  const uint16_t port = ports.take().value();
  EXPECT_FALSE(ports.has_plenty());
  ports.give_back(port);
  EXPECT_TRUE(ports.has_plenty());
  EXPECT_FALSE(SnatPorts(PortRange{}, 7).has_plenty());
}

TEST(SnatPorts, NeverGivesAPortThatIsInUseHoweverTheyComeAndGo) {
  SnatPorts ports({5000, 5049}, 31);
  std::mt19937 random(1);
  std::vector<uint16_t> mine;
  for (int step = 0; step < 50000; ++step) {
    if (random() % 2 == 0) {
      const auto port = ports.take();
      ASSERT_EQ(port.has_value(), mine.size() < 50);
      if (!port) continue;
      ASSERT_EQ(std::count(mine.begin(), mine.end(), *port), 0);
      mine.push_back(*port);
    } else if (!mine.empty()) {
      const size_t which = random() % mine.size();
      ports.give_back(mine[which]);
      mine.erase(mine.begin() + static_cast<ptrdiff_t>(which));
    }
    ASSERT_EQ(ports.in_use(), mine.size());
  }
}

TEST(SnatRangeBeside, TakesTheLargerSideOfTheEphemeralRange) {
  EXPECT_EQ(snat_range_beside({32768, 60999}), (PortRange{1024, 32767}));
  EXPECT_EQ(snat_range_beside({10000, 65535}), (PortRange{1024, 9999}));
  EXPECT_EQ(snat_range_beside({49152, 65535}), (PortRange{1024, 49151}));
  EXPECT_EQ(snat_range_beside({2000, 20000}), (PortRange{20001, 65535}));
  EXPECT_EQ(snat_range_beside({1024, 9999}), (PortRange{10000, 65535}));
}

TEST(SnatRangeBeside, NeverTakesPrivilegedPorts) {
  EXPECT_EQ(snat_range_beside({1, 500}), (PortRange{1024, 65535}));
  EXPECT_EQ(snat_range_beside({1025, 65535}), (PortRange{1024, 1024}));
}

TEST(SnatRangeBeside, IsEmptyWhenTheKernelLeavesNoRoom) {
  EXPECT_EQ(snat_range_beside({1024, 65535}).size(), 0u);
  EXPECT_EQ(snat_range_beside({1, 65535}).size(), 0u);
}

TEST(SnatRangeBeside, IsEverythingUnprivilegedWhenTheKernelUsesNothing) {
  EXPECT_EQ(snat_range_beside(PortRange{}), (PortRange{1024, 65535}));
}

}  // namespace
}  // namespace adit::forward
