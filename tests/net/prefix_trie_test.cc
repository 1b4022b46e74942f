#include "net/prefix_trie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
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

/// An address as the bits of its version.  What comes out of changing them may be read as of the other version
/// (::ffff:0.0.0.0/96 is IPv4's), as everywhere.
class AddressBits {
 public:
  explicit AddressBits(const Ip& ip) : raw_(ip.raw()), begin_(128 - ip.bits()) {}
  void flip(unsigned bit) { raw_[(begin_ + bit) / 8] ^= mask(bit); }
  bool is_set(unsigned bit) const { return (raw_[(begin_ + bit) / 8] & mask(bit)) != 0; }
  unsigned size() const { return 128 - begin_; }
  Ip ip() const { return Ip::v6(raw_); }

 private:
  uint8_t mask(unsigned bit) const { return static_cast<uint8_t>(0x80u >> (begin_ + bit) % 8); }

  std::array<uint8_t, 16> raw_;
  unsigned begin_;
};

Ip with_bit_flipped(const Ip& ip, unsigned bit) {
  AddressBits bits(ip);
  bits.flip(bit);
  return bits.ip();
}

Ip last_of(const Prefix& prefix) {
  AddressBits bits(prefix.ip);
  for (unsigned bit = prefix.length; bit < bits.size(); ++bit) bits.flip(bit);
  return bits.ip();
}

/// The next address; the first one follows the last.
Ip after(const Ip& ip) {
  AddressBits bits(ip);
  for (unsigned bit = bits.size(); bit-- > 0;) {
    bits.flip(bit);
    if (bits.is_set(bit)) break;
  }
  return bits.ip();
}

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

/// Addresses one after the other, as networks are dealt out to peers: whole nodes are full.
TEST_P(PrefixTrieOfVersion, HoldsEveryAddressOfADenseNetworkAndLetsGoOfEach) {
  RandomAddresses random(GetParam());
  PrefixTrie<int> trie;
  std::vector<Ip> addresses;
  for (uint32_t i = 0; i < 5000; ++i) {
    std::array<uint8_t, 16> raw{0xfd};
    store_be32(&raw[12], 0x0a00ff00 + i);
    addresses.push_back(GetParam() == 32 ? Ip::v4(0x0a00ff00 + i) : Ip::v6(raw));
  }
  std::vector<uint32_t> order(addresses.size());
  std::iota(order.begin(), order.end(), 0u);
  const auto host = static_cast<uint8_t>(GetParam());
  trie.set(Prefix::of(addresses[0], 7), -1);
  std::shuffle(order.begin(), order.end(), std::mt19937(1));
  for (const uint32_t i : order) trie.set({addresses[i], host}, static_cast<int>(i));
  for (uint32_t i = 0; i < addresses.size(); ++i) ASSERT_EQ(*trie.find(addresses[i]), static_cast<int>(i));
  std::shuffle(order.begin(), order.end(), std::mt19937(2));
  for (size_t done = 0; done < order.size(); ++done) {
    ASSERT_TRUE(trie.erase({addresses[order[done]], host}));
    ASSERT_EQ(*trie.find(addresses[order[done]]), -1);
    const size_t other = done + 1 == order.size() ? done : done + 1 + random.below(order.size() - done - 1);
    ASSERT_EQ(*trie.find(addresses[order[other]]), other == done ? -1 : static_cast<int>(order[other]));
  }
  EXPECT_EQ(trie.size(), 1u);
}

/// A prefix of every length around one address, in any order: each address finds the longest that holds it.
TEST_P(PrefixTrieOfVersion, NestsPrefixesOfEveryLength) {
  RandomAddresses random(GetParam());
  for (int round = 0; round < 20; ++round) {
    const Ip deepest = random.address();
    std::vector<uint8_t> lengths(GetParam() + 1);
    std::iota(lengths.begin(), lengths.end(), uint8_t{0});
    std::shuffle(lengths.begin(), lengths.end(), std::mt19937(static_cast<unsigned>(round)));
    PrefixTrie<int> trie;
    NaiveList list;
    const auto check = [&] {
      for (unsigned bit = 0; bit <= GetParam(); ++bit) {
        const Ip address = bit == GetParam() ? deepest : with_bit_flipped(deepest, bit);
        ASSERT_TRUE(same(trie.find(address), list.find(address))) << address.to_string();
      }
    };
    for (const uint8_t length : lengths) {
      trie.set(Prefix::of(deepest, length), length);
      list.set(Prefix::of(deepest, length), length);
      check();
    }
    std::shuffle(lengths.begin(), lengths.end(), std::mt19937(static_cast<unsigned>(round + 100)));
    for (const uint8_t length : lengths) {
      ASSERT_TRUE(trie.erase(Prefix::of(deepest, length)));
      list.erase(Prefix::of(deepest, length));
      check();
    }
    EXPECT_TRUE(trie.empty());
  }
}

TEST(PrefixTrie, DoesWhatANaiveListDoesWithBothVersionsAtOnce) {
  RandomAddresses v4(32), v6(128);
  PrefixTrie<int> trie;
  NaiveList list;
  for (int operation = 0; operation < 20000; ++operation) {
    RandomAddresses& random = v4.below(2) == 0 ? v4 : v6;
    const Prefix some = list.size() > 0 && random.below(2) == 0 ? list.nth(random.below(list.size())) : random.prefix();
    if (random.below(100) < (operation / 1000 % 2 == 0 ? 65u : 35u)) {
      trie.set(some, operation);
      list.set(some, operation);
    } else {
      ASSERT_EQ(trie.erase(some), list.erase(some)) << some.to_string();
    }
    ASSERT_EQ(trie.size(), list.size());
    for (const Ip& address : {v4.address(), v6.address(), some.ip, last_of(some), after(last_of(some))}) {
      ASSERT_TRUE(same(trie.find(address), list.find(address))) << address.to_string() << " at " << operation;
    }
  }
  while (list.size() > 0) {
    const Prefix first = list.nth(0);
    ASSERT_TRUE(trie.erase(first));
    list.erase(first);
    ASSERT_TRUE(same(trie.find(first.ip), list.find(first.ip))) << first.to_string();
  }
  EXPECT_TRUE(trie.empty());
}

TEST(PrefixTrie, FindsManyAtOnceAsItFindsOne) {
  RandomAddresses v4(32), v6(128);
  PrefixTrie<int> trie;
  for (int i = 0; i < 300; ++i) trie.set((i % 2 == 0 ? v4 : v6).prefix(), i);
  for (size_t count = 0; count < 100; ++count) {
    std::vector<Ip> addresses;
    for (size_t i = 0; i < count; ++i) addresses.push_back((v4.below(2) == 0 ? v4 : v6).address());
    const int untouched = -1;
    std::vector<const int*> values(count + 1, &untouched);
    trie.find(addresses, std::span(values).first(count));
    for (size_t i = 0; i < count; ++i) ASSERT_EQ(values[i], trie.find(addresses[i])) << addresses[i].to_string();
    ASSERT_EQ(values[count], &untouched);
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

TEST(PrefixTrie, LetsGoOfValuesThatAreReplacedOrErased) {
  const auto value = std::make_shared<int>(1);
  {
    PrefixTrie<std::shared_ptr<int>> trie;
    for (const char* text : {"10.0.0.0/8", "10.1.0.0/16", "fd00::/8", "fd00::1"}) trie.set(prefix(text), value);
    EXPECT_EQ(value.use_count(), 5);
    trie.set(prefix("fd00::1"), nullptr);
    EXPECT_EQ(value.use_count(), 4);
    trie.erase(prefix("10.0.0.0/8"));
    EXPECT_EQ(value.use_count(), 3);
  }
  EXPECT_EQ(value.use_count(), 1);
}

}  // namespace
}  // namespace adit
