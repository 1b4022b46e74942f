#include "net/prefix_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>

namespace adit {
namespace {

Ip ip(std::string_view text) { return Ip::parse(text).value(); }
Prefix prefix(std::string_view text) { return Prefix::parse(text).value(); }

/// What the trie must be equivalent to: a list, read from one end to the other.
class NaiveList {
 public:
  void set(const Prefix& prefix, int value) { entries_[prefix] = value; }
  bool erase(const Prefix& prefix) { return entries_.erase(prefix) == 1; }
  size_t size() const { return entries_.size(); }
  const std::map<Prefix, int>& entries() const { return entries_; }
  const int* find_exact(const Prefix& prefix) const {
    const auto found = entries_.find(prefix);
    return found == entries_.end() ? nullptr : &found->second;
  }
  const int* find(const Ip& address) const {
    const int* best = nullptr;
    int best_length = -1;
    for (const auto& [prefix, value] : entries_) {
      if (prefix.length <= best_length || !prefix.contains(address)) continue;
      best = &value;
      best_length = prefix.length;
    }
    return best;
  }
  const Prefix& nth(size_t n) const { return std::next(entries_.begin(), static_cast<std::ptrdiff_t>(n))->first; }

 private:
  std::map<Prefix, int> entries_;
};

testing::AssertionResult same(const int* a, const int* b) {
  if ((a == nullptr) == (b == nullptr) && (a == nullptr || *a == *b)) return testing::AssertionSuccess();
  const auto text = [](const int* value) { return value == nullptr ? std::string("none") : std::to_string(*value); };
  return testing::AssertionFailure() << text(a) << " is not " << text(b);
}

/// Addresses that share long beginnings with each other, so that prefixes nest and part at every bit.
class RandomAddresses {
 public:
  explicit RandomAddresses(unsigned bits) : bits_(bits) {}
  size_t below(size_t bound) { return random_() % bound; }
  Ip address() {
    std::array<uint8_t, 16> raw{};
    if (below(4) == 0) raw.fill(0xff);
    for (size_t flips = below(5); flips > 0; --flips) {
      const size_t bit = below(3) == 0 ? below(bits_) : below(8) * (bits_ / 8);
      raw[bit / 8] ^= static_cast<uint8_t>(0x80u >> bit % 8);
    }
    return bits_ == 32 ? Ip::v4(std::span(raw).first<4>()) : Ip::v6(raw);
  }
  Prefix prefix() { return Prefix::of(address(), static_cast<uint8_t>(below(bits_ + 1))); }

 private:
  unsigned bits_;
  std::mt19937_64 random_{20260101};
};

class PrefixTrieOfVersion : public testing::TestWithParam<unsigned> {};
INSTANTIATE_TEST_SUITE_P(, PrefixTrieOfVersion, testing::Values(32u, 128u),
                         [](const auto& version) { return version.param == 32 ? "IPv4" : "IPv6"; });

TEST_P(PrefixTrieOfVersion, DoesWhatANaiveListDoesOverManyRandomOperations) {
  RandomAddresses random(GetParam());
  PrefixTrie<int> trie;
  NaiveList list;
  for (int operation = 0; operation < 20000; ++operation) {
    const bool growing = operation / 500 % 2 == 0;  // waves of mostly setting and mostly erasing
    const Prefix some = list.size() > 0 && random.below(2) == 0 ? list.nth(random.below(list.size())) : random.prefix();
    if (random.below(10) < (growing ? 7u : 3u)) {
      trie.set(some, operation);
      list.set(some, operation);
    } else {
      ASSERT_EQ(trie.erase(some), list.erase(some)) << some.to_string();
    }
    ASSERT_EQ(trie.size(), list.size());
    const Ip address = random.address();
    ASSERT_TRUE(same(trie.find(address), list.find(address))) << address.to_string() << " at " << operation;
    ASSERT_TRUE(same(trie.find(some.ip), list.find(some.ip))) << some.to_string() << " at " << operation;
    const Prefix other = random.prefix();
    ASSERT_TRUE(same(trie.find_exact(other), list.find_exact(other))) << other.to_string() << " at " << operation;
  }
}

TEST_P(PrefixTrieOfVersion, VisitsEachPrefixOnceInAddressOrder) {
  RandomAddresses random(GetParam());
  PrefixTrie<int> trie;
  NaiveList list;
  for (int i = 0; i < 1000; ++i) {
    const Prefix some = random.prefix();
    trie.set(some, i);
    list.set(some, i);
  }
  auto expected = list.entries().begin();
  trie.for_each([&](const Prefix& visited, int value) {
    ASSERT_NE(expected, list.entries().end());
    EXPECT_EQ(visited, expected->first) << visited.to_string();
    EXPECT_EQ(value, expected->second);
    ++expected;
  });
  EXPECT_EQ(expected, list.entries().end());
}

TEST_P(PrefixTrieOfVersion, ErasesWhatAPredicateNamesAndKeepsTheRest) {
  RandomAddresses random(GetParam());
  PrefixTrie<int> trie;
  NaiveList list;
  for (int i = 0; i < 1000; ++i) {
    const Prefix some = random.prefix();
    trie.set(some, i % 3);
    list.set(some, i % 3);
  }
  const auto doomed = [](const Prefix& some, int value) { return value == 1 || some.length == 7; };
  trie.erase_if(doomed);
  for (const auto& [some, value] : std::map(list.entries())) {
    if (doomed(some, value)) list.erase(some);
  }
  EXPECT_EQ(trie.size(), list.size());
  for (int i = 0; i < 1000; ++i) {
    const Ip address = random.address();
    ASSERT_TRUE(same(trie.find(address), list.find(address))) << address.to_string();
  }
}

TEST(PrefixTrie, FindsNothingWhenEmpty) {
  const PrefixTrie<int> trie;
  EXPECT_TRUE(trie.empty());
  EXPECT_EQ(trie.find(ip("10.0.0.1")), nullptr);
  EXPECT_EQ(trie.find(ip("fd00::1")), nullptr);
  EXPECT_EQ(trie.find_exact(prefix("0.0.0.0/0")), nullptr);
  EXPECT_EQ(trie.find_exact(prefix("::/0")), nullptr);
}

TEST(PrefixTrie, PrefersTheLongestPrefix) {
  PrefixTrie<int> trie;
  trie.set(prefix("0.0.0.0/0"), 0);
  trie.set(prefix("10.0.0.0/8"), 8);
  trie.set(prefix("10.1.2.3/32"), 32);
  trie.set(prefix("10.1.0.0/16"), 16);
  trie.set(prefix("10.1.2.2/31"), 31);
  EXPECT_EQ(*trie.find(ip("10.1.2.3")), 32);
  EXPECT_EQ(*trie.find(ip("10.1.2.2")), 31);
  EXPECT_EQ(*trie.find(ip("10.1.2.1")), 16);
  EXPECT_EQ(*trie.find(ip("10.2.0.0")), 8);
  EXPECT_EQ(*trie.find(ip("11.0.0.0")), 0);
  EXPECT_EQ(*trie.find(ip("255.255.255.255")), 0);
}

TEST(PrefixTrie, TellsSingleIpv6AddressesApart) {
  PrefixTrie<int> trie;
  trie.set(prefix("fd00::1/128"), 1);
  trie.set(prefix("fd00::/128"), 0);
  trie.set(prefix("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"), 2);
  EXPECT_EQ(*trie.find(ip("fd00::")), 0);
  EXPECT_EQ(*trie.find(ip("fd00::1")), 1);
  EXPECT_EQ(*trie.find(ip("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")), 2);
  EXPECT_EQ(trie.find(ip("fd00::2")), nullptr);
}

TEST(PrefixTrie, KeepsIpv4AndIpv6Apart) {
  PrefixTrie<int> trie;
  trie.set(prefix("0.0.0.0/0"), 4);
  EXPECT_EQ(trie.find(ip("::")), nullptr);
  EXPECT_EQ(trie.find(ip("::1")), nullptr);
  trie.set(prefix("::/0"), 6);
  EXPECT_EQ(*trie.find(ip("0.0.0.0")), 4);
  EXPECT_EQ(*trie.find(ip("::")), 6);
  EXPECT_EQ(trie.size(), 2u);
  EXPECT_TRUE(trie.erase(prefix("0.0.0.0/0")));
  EXPECT_EQ(trie.find(ip("1.2.3.4")), nullptr);
  EXPECT_EQ(*trie.find(ip("::1")), 6);
}

TEST(PrefixTrie, ReplacesAValueWithoutGrowing) {
  PrefixTrie<int> trie;
  trie.set(prefix("10.0.0.0/8"), 1);
  trie.set(prefix("10.0.0.0/8"), 2);
  EXPECT_EQ(trie.size(), 1u);
  EXPECT_EQ(*trie.find(ip("10.0.0.1")), 2);
}

TEST(PrefixTrie, ErasesOnlyTheVeryPrefix) {
  PrefixTrie<int> trie;
  trie.set(prefix("10.0.0.0/8"), 8);
  trie.set(prefix("10.0.0.0/24"), 24);
  trie.set(prefix("10.0.1.0/24"), 25);
  EXPECT_FALSE(trie.erase(prefix("10.0.0.0/16")));
  EXPECT_FALSE(trie.erase(prefix("10.0.0.0/23")));  // where the two /24 part
  EXPECT_FALSE(trie.erase(prefix("10.0.0.0/32")));
  EXPECT_FALSE(trie.erase(prefix("0.0.0.0/0")));
  EXPECT_TRUE(trie.erase(prefix("10.0.0.0/24")));
  EXPECT_FALSE(trie.erase(prefix("10.0.0.0/24")));
  EXPECT_EQ(*trie.find(ip("10.0.0.1")), 8);
  EXPECT_EQ(*trie.find(ip("10.0.1.1")), 25);
}

TEST(PrefixTrie, VisitsIpv4BeforeIpv6) {
  PrefixTrie<int> trie;
  std::string visited;
  for (const char* text : {"::/0", "fd00::/8", "10.0.0.0/9", "10.0.0.0/8", "0.0.0.0/0", "10.128.0.0/9"}) {
    trie.set(prefix(text), 0);
  }
  trie.for_each([&](const Prefix& each, int) { visited += each.to_string() + " "; });
  EXPECT_EQ(visited, "0.0.0.0/0 10.0.0.0/8 10.0.0.0/9 10.128.0.0/9 ::/0 fd00::/8 ");
}

TEST(PrefixTrie, CopiesShareNothing) {
  PrefixTrie<int> first;
  first.set(prefix("10.0.0.0/8"), 1);
  PrefixTrie<int> second = first;
  second.set(prefix("10.0.0.0/8"), 2);
  second.set(prefix("10.1.0.0/16"), 3);
  EXPECT_EQ(*first.find(ip("10.1.0.0")), 1);
  EXPECT_EQ(*second.find(ip("10.1.0.0")), 3);
  first = std::move(second);
  EXPECT_EQ(*first.find(ip("10.1.0.0")), 3);
  EXPECT_EQ(first.size(), 2u);
}

TEST(PrefixTrie, LetsGoOfValuesThatAreReplacedErasedOrCleared) {
  PrefixTrie<std::shared_ptr<int>> trie;
  const auto value = std::make_shared<int>(1);
  for (const char* text : {"10.0.0.0/8", "10.1.0.0/16", "fd00::/8", "fd00::1"}) trie.set(prefix(text), value);
  EXPECT_EQ(value.use_count(), 5);
  trie.set(prefix("fd00::1"), nullptr);
  EXPECT_EQ(value.use_count(), 4);
  trie.erase(prefix("10.0.0.0/8"));
  EXPECT_EQ(value.use_count(), 3);
  trie.clear();
  EXPECT_EQ(value.use_count(), 1);
  EXPECT_TRUE(trie.empty());
  EXPECT_EQ(trie.find(ip("10.1.0.0")), nullptr);
}

}  // namespace
}  // namespace adit
