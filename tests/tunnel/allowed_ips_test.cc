#include "tunnel/allowed_ips.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tunnel/peer.h"

namespace adit::tunnel {
namespace {

struct AllowedIpsTest : ::testing::Test {
  static Prefix prefix(const char* text) { return *Prefix::parse(text); }
  Peer* owner(const char* address) const { return ips.find(*Ip::parse(address)); }
  static std::vector<std::string> list(const Peer& peer) {
    std::vector<std::string> texts;
    for (const Prefix& each : peer.allowed_ips) texts.push_back(each.to_string());
    return texts;
  }
  using List = std::vector<std::string>;

  Peer one{{{1}}, 1};
  Peer other{{{2}}, 2};
  AllowedIps ips;
};

TEST_F(AllowedIpsTest, ThePrefixGivenToAnotherIsItsAlone) {
  ips.give(one, prefix("10.0.0.0/24"));
  ips.give(one, prefix("fd00::/64"));
  ips.give(other, prefix("10.0.0.0/24"));
  EXPECT_EQ(owner("10.0.0.1"), &other);
  EXPECT_EQ(owner("fd00::1"), &one);
  EXPECT_EQ(list(one), List{"fd00::/64"});
  EXPECT_EQ(list(other), List{"10.0.0.0/24"});
  EXPECT_EQ(ips.size(), 2u);
}

TEST_F(AllowedIpsTest, ListsKeepTheOrderOfGiving) {
  for (const char* each : {"10.2.0.0/16", "fd00::/8", "10.1.0.0/16", "0.0.0.0/0"}) ips.give(one, prefix(each));
  EXPECT_EQ(list(one), (List{"10.2.0.0/16", "fd00::/8", "10.1.0.0/16", "0.0.0.0/0"}));
  ips.give(one, prefix("fd00::/8"));
  EXPECT_EQ(list(one), (List{"10.2.0.0/16", "10.1.0.0/16", "0.0.0.0/0", "fd00::/8"}));
}

TEST_F(AllowedIpsTest, OnlyWhoHasAPrefixCanLoseIt) {
  ips.give(one, prefix("10.0.0.0/24"));
  ips.take(other, prefix("10.0.0.0/24"));
  ips.take(one, prefix("10.0.0.0/25"));
  ips.take(one, prefix("10.0.0.0/23"));
  EXPECT_EQ(owner("10.0.0.1"), &one);
  ips.take(one, prefix("10.0.0.0/24"));
  EXPECT_EQ(owner("10.0.0.1"), nullptr);
  EXPECT_EQ(list(one), List{});
}

TEST_F(AllowedIpsTest, ManyAddressesAtOnceHaveTheOwnersTheyHaveOneByOne) {
  ips.give(one, prefix("10.0.0.0/24"));
  ips.give(other, prefix("fd00::/64"));
  std::vector<Ip> addresses;
  for (uint32_t i = 0; i < 200; ++i) {
    addresses.push_back(i % 3 == 0 ? *Ip::parse("fd00::5") : Ip::v4(0x0a000000 + 5 * i));  // from 52 on nobody's
    if (i % 7 == 0) addresses.insert(addresses.end(), i / 2, addresses.back());            // trains
  }
  std::vector<Peer*> owners(addresses.size());
  ips.find(addresses, owners);
  for (size_t i = 0; i < addresses.size(); ++i) ASSERT_EQ(owners[i], ips.find(addresses[i])) << i;
  EXPECT_EQ(owners.front(), &other);
  EXPECT_EQ(owners[1], &one);
  EXPECT_EQ(owners.back(), nullptr);
}

TEST_F(AllowedIpsTest, WhenAPrefixGoesTheWiderOneSteps) {
  ips.give(one, prefix("10.0.0.0/8"));
  ips.give(other, prefix("10.1.0.0/16"));
  EXPECT_EQ(owner("10.1.0.1"), &other);
  ips.take(other, prefix("10.1.0.0/16"));
  EXPECT_EQ(owner("10.1.0.1"), &one);
}

TEST_F(AllowedIpsTest, TakingAllLeavesTheOthersTheirs) {
  for (const char* each : {"0.0.0.0/0", "10.1.0.0/16", "::/0"}) ips.give(one, prefix(each));
  ips.give(other, prefix("10.0.0.0/8"));
  ips.take_all(one);
  EXPECT_EQ(list(one), List{});
  EXPECT_EQ(owner("10.1.0.1"), &other);
  EXPECT_EQ(owner("11.0.0.1"), nullptr);
  EXPECT_EQ(owner("fd00::1"), nullptr);
  EXPECT_EQ(ips.size(), 1u);
}

TEST_F(AllowedIpsTest, AgreesWithAPlainMapAfterAnyChanges) {
  std::mt19937 random(1);
  std::map<Prefix, Peer*> expected;
  for (int i = 0; i < 20'000; ++i) {
    Peer& peer = random() % 2 == 0 ? one : other;
    const auto length = static_cast<uint8_t>(random() % 9);
    const Prefix some = Prefix::of(Ip::v4(static_cast<uint32_t>(random() % 256) << 24), length);
    const auto what = random() % 100;
    if (what == 0) {
      ips.take_all(peer);
      std::erase_if(expected, [&](const auto& entry) { return entry.second == &peer; });
    } else if (what < 40) {
      ips.take(peer, some);
      if (expected.contains(some) && expected[some] == &peer) expected.erase(some);
    } else {
      ips.give(peer, some);
      expected[some] = &peer;
    }
    ASSERT_EQ(ips.size(), expected.size());
    ASSERT_EQ(one.allowed_ips.size() + other.allowed_ips.size(), expected.size());
  }
  for (Peer* peer : {&one, &other}) {
    for (const Prefix& each : peer->allowed_ips) EXPECT_EQ(expected.at(each), peer);
  }
}

}  // namespace
}  // namespace adit::tunnel
