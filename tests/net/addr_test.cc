#include "net/addr.h"

#include <gtest/gtest.h>

#include <set>

namespace adit {
namespace {

Ip ip(std::string_view text) { return Ip::parse(text).value(); }

TEST(Ip, PrintsWhatItParsesInTheFormOfRfc5952) {
  const struct {
    const char *text, *printed;
  } cases[] = {{"0.0.0.0", "0.0.0.0"},
               {"192.0.2.1", "192.0.2.1"},
               {"255.255.255.255", "255.255.255.255"},
               {"::", "::"},
               {"::1", "::1"},
               {"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
               {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
               {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
               {"fe80::1", "fe80::1"},
               {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
               {"::ffff:192.0.2.1", "192.0.2.1"},
               {"::ffff:c000:201", "192.0.2.1"}};
  for (const auto& test : cases) {
    const auto parsed = Ip::parse(test.text);
    ASSERT_TRUE(parsed) << test.text;
    EXPECT_EQ(parsed->to_string(), test.printed);
  }
}

TEST(Ip, RefusesWhatIsNoAddress) {
  for (const std::string_view text : {"",
                                      " ",
                                      "1",
                                      "1.2.3",
                                      "1.2.3.4.5",
                                      "256.0.0.1",
                                      "1.2.3.-4",
                                      "01.2.3.4",
                                      "1.2.3.4 ",
                                      " 1.2.3.4",
                                      "1.2.3.4/32",
                                      "0x7f.0.0.1",
                                      ":",
                                      ":::",
                                      "1:2:3:4:5:6:7",
                                      "1:2:3:4:5:6:7:8:9",
                                      "1::2::3",
                                      "12345::",
                                      "g::",
                                      "[::1]",
                                      "fe80::1%lo",
                                      "fe80::1%1",
                                      "::1.2.3",
                                      "localhost",
                                      "1.2.3.4:80"}) {
    EXPECT_FALSE(Ip::parse(text)) << text;
  }
  EXPECT_FALSE(Ip::parse(std::string_view("1.2.3.4\0", 8)));
  EXPECT_FALSE(Ip::parse(std::string_view("::1\0x", 5)));
}

TEST(Ip, ReadsAViewThatIsNotTerminated) {
  EXPECT_EQ(Ip::parse(std::string_view("10.0.0.12345").substr(0, 9)), ip("10.0.0.12"));
}

TEST(Ip, KnowsItsVersionSizeAndBytes) {
  const Ip v4 = ip("192.0.2.1");
  EXPECT_TRUE(v4.is_v4());
  EXPECT_FALSE(v4.is_v6());
  EXPECT_EQ(v4.bits(), 32u);
  EXPECT_TRUE(std::ranges::equal(v4.bytes(), std::array<uint8_t, 4>{192, 0, 2, 1}));
  const Ip v6 = ip("2001:db8::1");
  EXPECT_FALSE(v6.is_v4());
  EXPECT_TRUE(v6.is_v6());
  EXPECT_EQ(v6.bits(), 128u);
  EXPECT_TRUE(std::ranges::equal(v6.bytes(),
                                 std::array<uint8_t, 16>{0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST(Ip, TakesOnlyMappedAddressesForIpv4) {
  EXPECT_TRUE(ip("::ffff:0:0").is_v4());
  EXPECT_TRUE(ip("::ffff:ffff:ffff").is_v4());
  for (const char* text : {"::", "::fffe:c000:201", "::1:ffff:c000:201", "1::ffff:c000:201", "::192.0.2.1"}) {
    EXPECT_TRUE(ip(text).is_v6()) << text;
  }
}

TEST(Ip, IsTheSameFromNumberBytesAndText) {
  EXPECT_EQ(Ip::v4(0xc0000201), ip("192.0.2.1"));
  EXPECT_EQ(Ip::v4(std::array<uint8_t, 4>{192, 0, 2, 1}), ip("192.0.2.1"));
  EXPECT_EQ(Ip::v6(ip("2001:db8::1").raw()), ip("2001:db8::1"));
  EXPECT_EQ(Ip(), ip("::"));
}

TEST(Ip, KnowsUnspecifiedAndMulticastAddresses) {
  for (const char* text : {"0.0.0.0", "::"}) EXPECT_TRUE(ip(text).is_unspecified()) << text;
  for (const char* text : {"0.0.0.1", "128.0.0.0", "::1", "8000::"}) EXPECT_FALSE(ip(text).is_unspecified()) << text;
  for (const char* text : {"224.0.0.0", "239.255.255.255", "ff02::1", "ff00::"}) {
    EXPECT_TRUE(ip(text).is_multicast()) << text;
  }
  for (const char* text : {"223.255.255.255", "240.0.0.0", "255.255.255.255", "fe80::1", "::ff00"}) {
    EXPECT_FALSE(ip(text).is_multicast()) << text;
  }
}

TEST(Endpoint, PrintsWhatItParses) {
  for (const char* text : {"192.0.2.1:51820", "0.0.0.0:0", "1.2.3.4:65535", "[2001:db8::1]:51820", "[::]:1"}) {
    const auto endpoint = Endpoint::parse(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->to_string(), text);
  }
  const auto endpoint = Endpoint::parse("[2001:db8::1]:51820");
  EXPECT_EQ(endpoint->ip, ip("2001:db8::1"));
  EXPECT_EQ(endpoint->port, 51820);
  EXPECT_EQ(endpoint->scope, 0u);
  EXPECT_EQ(Endpoint::parse("[::ffff:192.0.2.1]:1"), Endpoint::parse("192.0.2.1:1"));
}

TEST(Endpoint, RefusesWhatIsNoEndpoint) {
  for (const char* text : {"",
                           ":",
                           ":80",
                           "1.2.3.4",
                           "1.2.3.4:",
                           "1.2.3.4:65536",
                           "1.2.3.4:-1",
                           "1.2.3.4:+1",
                           "1.2.3.4: 1",
                           "1.2.3.4:1 ",
                           "1.2.3.4:0x1",
                           "1.2.3.4:1:2",
                           "[1.2.3.4]:1",
                           "::1:80",
                           "2001:db8::1",
                           "[::1]",
                           "[::1]80",
                           "[::1]:",
                           "[::1]:65536",
                           "[::1:80",
                           "[[::1]]:80",
                           "[::1%lo]:80",
                           "[]:80",
                           "vpn.example.com:51820"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Endpoint, DiffersInAddressPortAndScope) {
  const Endpoint endpoint{ip("fe80::1"), 1, 2};
  EXPECT_EQ(endpoint, (Endpoint{ip("fe80::1"), 1, 2}));
  EXPECT_NE(endpoint, (Endpoint{ip("fe80::2"), 1, 2}));
  EXPECT_NE(endpoint, (Endpoint{ip("fe80::1"), 2, 2}));
  EXPECT_NE(endpoint, (Endpoint{ip("fe80::1"), 1, 3}));
}

TEST(Prefix, ClearsHostBitsWhenParsed) {
  const struct {
    const char *text, *printed;
  } cases[] = {{"10.0.0.0/8", "10.0.0.0/8"},
               {"10.1.2.3/8", "10.0.0.0/8"},
               {"255.255.255.255/0", "0.0.0.0/0"},
               {"255.255.255.255/1", "128.0.0.0/1"},
               {"255.255.255.255/9", "255.128.0.0/9"},
               {"255.255.255.255/31", "255.255.255.254/31"},
               {"255.255.255.255/32", "255.255.255.255/32"},
               {"192.0.2.1", "192.0.2.1/32"},
               {"fd00::1/8", "fd00::/8"},
               {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/0", "::/0"},
               {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/65", "ffff:ffff:ffff:ffff:8000::/65"},
               {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/127", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127"},
               {"2001:db8::1/128", "2001:db8::1/128"},
               {"2001:db8::1", "2001:db8::1/128"}};
  for (const auto& test : cases) {
    const auto parsed = Prefix::parse(test.text);
    ASSERT_TRUE(parsed) << test.text;
    EXPECT_EQ(parsed->to_string(), test.printed);
  }
}

TEST(Prefix, RefusesWhatIsNoPrefix) {
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/256", "10.0.0.0/264",
                           "10.0.0.0/8/8", "10.0.0.0/8 ", "10.0.0.0 /8", "10.0.0.0/a", "10.0.0.0/255.0.0.0", "10/8",
                           "::/129", "::/", "[::]/0", "::1%1/64"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, RefusesMappedNotationWhoseLengthHasTwoMeanings) {
  for (const char* text : {"::ffff:10.0.0.0/8", "::ffff:10.0.0.0/104", "::ffff:10.0.0.1/128", "::ffff:10.0.0.1"}) {
    EXPECT_FALSE(Prefix::parse(text)) << text;
  }
}

TEST(Prefix, ContainsTheAddressesThatBeginLikeIt) {
  const struct {
    const char *prefix, *first, *last, *before, *behind;
  } cases[] = {{"10.0.0.0/8", "10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
               {"192.0.2.128/25", "192.0.2.128", "192.0.2.255", "192.0.2.127", "192.0.3.0"},
               {"192.0.2.1/32", "192.0.2.1", "192.0.2.1", "192.0.2.0", "192.0.2.2"},
               {"fd00::/8", "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fcff::", "fe00::"},
               {"2001:db8::/63", "2001:db8::", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db7:ffff::", "2001:db8:0:2::"},
               {"2001:db8::1/128", "2001:db8::1", "2001:db8::1", "2001:db8::", "2001:db8::2"}};
  for (const auto& test : cases) {
    const Prefix prefix = Prefix::parse(test.prefix).value();
    EXPECT_TRUE(prefix.contains(ip(test.first))) << test.prefix;
    EXPECT_TRUE(prefix.contains(ip(test.last))) << test.prefix;
    EXPECT_FALSE(prefix.contains(ip(test.before))) << test.prefix;
    EXPECT_FALSE(prefix.contains(ip(test.behind))) << test.prefix;
  }
}

TEST(Prefix, OfLengthZeroContainsEveryAddressOfItsVersionOnly) {
  const Prefix all4 = Prefix::parse("0.0.0.0/0").value();
  const Prefix all6 = Prefix::parse("::/0").value();
  for (const char* text : {"0.0.0.0", "255.255.255.255", "127.0.0.1"}) {
    EXPECT_TRUE(all4.contains(ip(text))) << text;
    EXPECT_FALSE(all6.contains(ip(text))) << text;
  }
  for (const char* text : {"::", "::1", "ffff::", "::fffe:0:0"}) {
    EXPECT_FALSE(all4.contains(ip(text))) << text;
    EXPECT_TRUE(all6.contains(ip(text))) << text;
  }
}

TEST(Prefix, OverlapsWithThoseItContainsOrIsIn) {
  const struct {
    const char *one, *other;
    bool overlap;
  } cases[] = {{"10.0.0.0/8", "10.0.0.0/8", true},
               {"10.0.0.0/8", "10.1.2.0/24", true},
               {"10.0.0.0/8", "10.0.0.0/24", true},
               {"10.0.0.0/8", "11.0.0.0/8", false},
               {"10.1.2.0/25", "10.1.2.128/25", false},
               {"10.1.2.1/32", "10.1.2.1/32", true},
               {"10.1.2.1/32", "10.1.2.2/32", false},
               {"0.0.0.0/0", "192.0.2.1/32", true},
               {"fd00::/8", "fd00:1::/64", true},
               {"fd00::/64", "fd00:0:0:1::/64", false},
               {"0.0.0.0/0", "::/0", false},
               {"::/0", "10.1.2.0/24", false},
               {"::ffff:0:0:0/64", "10.0.0.0/8", false}};
  for (const auto& [one, other, overlap] : cases) {
    const Prefix first = Prefix::parse(one).value();
    const Prefix second = Prefix::parse(other).value();
    EXPECT_EQ(first.overlaps(second), overlap) << one << " " << other;
    EXPECT_EQ(second.overlaps(first), overlap) << other << " " << one;
  }
}

TEST(HashEndpoint, DependsOnEveryPartAndOnTheSeed) {
  std::set<uint64_t> hashes;
  size_t count = 0;
  const auto add = [&](const Endpoint& endpoint, uint64_t seed) {
    hashes.insert(hash_endpoint(endpoint, seed));
    ++count;
  };
  const Endpoint endpoint{ip("2001:db8::1"), 51820, 0};
  add(endpoint, 1);
  EXPECT_EQ(hash_endpoint(endpoint, 1), *hashes.begin());
  for (unsigned bit = 0; bit < 64; ++bit) add(endpoint, 1 ^ uint64_t{1} << bit);
  for (unsigned bit = 0; bit < 128; ++bit) {
    auto raw = endpoint.ip.raw();
    raw[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
    add({Ip::v6(raw), endpoint.port, 0}, 1);
  }
  for (unsigned bit = 0; bit < 16; ++bit) add({endpoint.ip, static_cast<uint16_t>(endpoint.port ^ 1u << bit), 0}, 1);
  for (unsigned bit = 0; bit < 32; ++bit) add({endpoint.ip, endpoint.port, 1u << bit}, 1);
  EXPECT_EQ(hashes.size(), count);
}

TEST(HashEndpoint, SpreadsNeighboursOverTheLowBits) {
  std::set<uint64_t> buckets;
  for (uint32_t i = 0; i < 4096; ++i) {
    buckets.insert(hash_endpoint({Ip::v4(0x0a000000 + i / 64), static_cast<uint16_t>(40000 + i % 64), 0}, 99) % 4096);
  }
  EXPECT_GT(buckets.size(), 2400u);  // random placement fills 1 - 1/e of them: 2589
}

}  // namespace
}  // namespace adit
