#include "config/values.h"

#include <gtest/gtest.h>

namespace adit::config {
namespace {

TEST(LowerCase, IsAsciis) {
  EXPECT_EQ(lower_case("@AZ[`az{09 _-"), "@az[`az{09 _-");
  EXPECT_EQ(lower_case("\xc3\x84"), "\xc3\x84");
}

TEST(Durations, AreSecondsMinutesOrHours) {
  EXPECT_EQ(parse_duration("180s"), seconds(180));
  EXPECT_EQ(parse_duration("3m"), seconds(180));
  EXPECT_EQ(parse_duration("1h"), seconds(3600));
  EXPECT_EQ(parse_duration("180"), seconds(180));
  EXPECT_EQ(parse_duration("0"), seconds(0));
  EXPECT_EQ(parse_duration("8760h"), seconds(365 * 86400));
}

TEST(Durations, RefuseEverythingElse) {
  for (const char* text : {"", "s", "m", "-1", "-1s", "+1s", "1.5s", "1 s", " 1s", "1s ", "1d", "1ms", "1h30m", "s1",
                           "ss", "8761h", "4294967295h", "99999999999999999999s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Numbers, AreDecimalOrHexadecimal) {
  EXPECT_EQ(parse_number("0"), 0u);
  EXPECT_EQ(parse_number("4294967295"), 4294967295u);
  EXPECT_EQ(parse_number("0xffffffff"), 0xffffffffu);
  EXPECT_EQ(parse_number("0XCA6C"), 0xca6cu);
  for (const char* text : {"", "0x", "4294967296", "0x100000000", "-1", "ca6c", "1 ", "0x-1", "0x0x1"}) {
    EXPECT_FALSE(parse_number(text)) << text;
  }
}

TEST(InterfaceAddresses, KeepTheirHostBits) {
  const auto address = parse_interface_address("10.1.2.5/24");
  ASSERT_TRUE(address);
  EXPECT_EQ(address->ip, *Ip::parse("10.1.2.5"));
  EXPECT_EQ(address->prefix_length, 24);
  EXPECT_EQ(parse_interface_address("10.1.2.5")->prefix_length, 32);
  EXPECT_EQ(parse_interface_address("fd00::5")->prefix_length, 128);
  EXPECT_EQ(parse_interface_address("fd00::5/128")->prefix_length, 128);
}

TEST(InterfaceAddresses, AreWrittenWithTheirLengths) {
  for (const char* text : {"10.1.2.5/24", "10.1.2.5/32", "fd00::5/64"}) {
    EXPECT_EQ(parse_interface_address(text)->to_string(), text);
  }
  EXPECT_EQ(parse_interface_address("10.1.2.5")->to_string(), "10.1.2.5/32");
}

TEST(InterfaceAddresses, RefuseWhatAnInterfaceCannotHave) {
  for (const char* text :
       {"", "10.1.2.5/", "10.1.2.5/33", "10.1.2.5/0", "10.1.2.5/-1", "10.1.2/24", "fd00::5/129", "0.0.0.0", "::/64",
        "224.0.0.1/24", "ff02::1/64", "host/24", "10.1.2.5/24/24", "10.1.2.5/ 24"}) {
    EXPECT_FALSE(parse_interface_address(text)) << text;
  }
}

TEST(PeerEndpoints, AreNamesOrAddressesWithAPort) {
  struct Case {
    const char* text;
    const char* host;
    uint16_t port;
  };
  for (const auto& [text, host, port] : {Case{"host.example:342", "host.example", 342},
                                         {"1.2.3.4:51820", "1.2.3.4", 51820},
                                         {"[::1]:342", "::1", 342},
                                         {"[fe80::1%eth0]:1", "fe80::1%eth0", 1},
                                         {"localhost:65535", "localhost", 65535},
                                         {"3com.example:1", "3com.example", 1}}) {
    const auto endpoint = parse_peer_endpoint(text);
    ASSERT_TRUE(endpoint) << text;
    EXPECT_EQ(endpoint->host, host);
    EXPECT_EQ(endpoint->port, port);
    EXPECT_EQ(endpoint->to_string(), text);
  }
}

TEST(PeerEndpoints, RefuseEverythingElse) {
  for (const char* text :
       {"",       ":342",     "host",         "host:",           "host:0",        "host:65536",   "host:-1", "::1:342",
        "[::1]",  "[::1]342", "[]:1",         "[host]:342",      "[1.2.3.4]:342", "1.2.3.400:1",  "1.2.3:1", "ho st:1",
        "a..b:1", ".a:1",     "[fe80::1%]:1", "[fe80::1%a/b]:1", "host:34 2",     "http://host:1"}) {
    EXPECT_FALSE(parse_peer_endpoint(text)) << text;
  }
  EXPECT_FALSE(parse_peer_endpoint(std::string(254, 'a') + ":1"));
}

TEST(TableEntries, MayTakeOut) {
  EXPECT_EQ(parse_table_entry("10.0.0.0/8")->prefix, *Prefix::parse("10.0.0.0/8"));
  EXPECT_FALSE(parse_table_entry("10.0.0.0/8")->excluded);
  EXPECT_EQ(parse_table_entry("!fe80::/10")->prefix, *Prefix::parse("fe80::/10"));
  EXPECT_TRUE(parse_table_entry("!fe80::/10")->excluded);
  for (const char* text : {"", "!", "!!10.0.0.0/8", "! 10.0.0.0/8", "10.0.0.0/8!", "internet"}) {
    EXPECT_FALSE(parse_table_entry(text)) << text;
  }
}

TEST(InterfaceNames, AreWhatTheSystemsAndWgQuickTake) {
  for (const char* text : {"wg0", "a", "home.vpn-1_=+", "123456789012345"})
    EXPECT_TRUE(is_interface_name(text)) << text;
  for (const char* text : {"", ".", "..", "1234567890123456", "a/b", "a b", "a:b", "wg%d", "w\n", "w\xc3\xa9"}) {
    EXPECT_FALSE(is_interface_name(text)) << text;
  }
}

TEST(Labels, ArePrintable) {
  EXPECT_TRUE(is_label("the living room"));
  EXPECT_TRUE(is_label(std::string(63, 'x')));
  EXPECT_FALSE(is_label(""));
  EXPECT_FALSE(is_label(std::string(64, 'x')));
  EXPECT_FALSE(is_label("a\x1b[31m"));
  EXPECT_FALSE(is_label("a\x7f"));
}

}  // namespace
}  // namespace adit::config
