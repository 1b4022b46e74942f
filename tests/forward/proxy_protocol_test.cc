#include "forward/proxy_protocol.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/proxy_parser.h"

namespace adit::forward {
namespace {

using test::parse_proxy_v1;
using test::parse_proxy_v2;
using test::ProxiedConnection;

Endpoint at(const char* text) { return *Endpoint::parse(text); }

std::string text_of(const ProxyHeader& header) { return {header.bytes().begin(), header.bytes().end()}; }

TEST(ProxyHeader, Version1IsALineOfText) {
  EXPECT_EQ(text_of(ProxyHeader::v1(at("192.0.2.7:56324"), at("198.51.100.1:443"))),
            "PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n");
  EXPECT_EQ(text_of(ProxyHeader::v1(at("[2001:db8::7]:1"), at("[2001:db8::1]:65535"))),
            "PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n");
}

TEST(ProxyHeader, Version2IsBinary) {
  const std::string signature("\r\n\r\n\0\r\nQUIT\n", 12);
  EXPECT_EQ(text_of(ProxyHeader::v2(at("192.0.2.7:258"), at("198.51.100.1:443"))),
            signature + std::string("\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\x01\x02\x01\xbb", 16));
  EXPECT_EQ(text_of(ProxyHeader::v2(at("[2001:db8::7]:258"), at("[2001:db8::1]:443"))),
            signature + std::string("\x21\x21\0\x24", 4) + std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') +
                "\x07" + std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" + "\x01\x02\x01\xbb");
}

TEST(ProxyHeader, TheLongestLineIsWithinTheLimit) {
  const Endpoint longest = at("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
  const std::string line = text_of(ProxyHeader::v1(longest, longest));
  EXPECT_EQ(line.size(), 104u);  // 107 with the specification's "UNKNOWN"
  EXPECT_TRUE(parse_proxy_v1(line));
}

TEST(ProxyHeader, NoneIsEmpty) { EXPECT_TRUE(ProxyHeader().bytes().empty()); }

TEST(ProxyHeader, SaysWhatItWasToldWhateverTheEndpointsAre) {
  std::mt19937 random(1);
  const auto endpoint = [&](bool v4) {
    std::array<uint8_t, 16> bytes{};
    // Few bits, so that zeros come in runs, which texts of IPv6 addresses leave out.
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() & random() & random());
    const Ip ip = v4 ? Ip::v4(static_cast<uint32_t>(random())) : Ip::v6(bytes);
    return Endpoint{ip, static_cast<uint16_t>(random())};
  };
  for (int i = 0; i < 20'000; ++i) {
    const bool v4 = i % 2 == 0;
    const ProxiedConnection told{endpoint(v4), endpoint(v4)};
    if (told.client.ip.is_v4() != v4 || told.local.ip.is_v4() != v4) continue;  // a mapped address by chance
    EXPECT_EQ(parse_proxy_v1(text_of(ProxyHeader::v1(told.client, told.local))), told);
    EXPECT_EQ(parse_proxy_v2(text_of(ProxyHeader::v2(told.client, told.local))), told);
  }
}

}  // namespace
}  // namespace adit::forward
