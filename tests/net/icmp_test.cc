#include "net/icmp.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "net/checksum.h"
#include "net/ip.h"

namespace adit {
namespace {

using ByteVector = std::vector<uint8_t>;

/// An IP packet with bytes of the test's behind the header.
ByteVector ip(const char* source, const char* destination, uint8_t protocol, const ByteVector& content) {
  PacketPool pool(1, 4096);
  Packet packet = pool.take();
  std::ranges::copy(content, packet.push_back(content.size()).begin());
  push_ip(packet, *Ip::parse(source), *Ip::parse(destination), protocol, 7);
  return {packet.bytes().begin(), packet.bytes().end()};
}

ByteVector ip4(uint8_t protocol, const ByteVector& content) { return ip("10.0.0.1", "10.0.0.9", protocol, content); }
ByteVector ip6(uint8_t protocol, const ByteVector& content) { return ip("fd00::1", "fd00::9", protocol, content); }
const ByteVector kUdp(40, 0x11);

ByteVector unreachable(const ByteVector& about) {
  PacketPool pool(1, 4096);
  Packet packet = pool.take();
  std::ranges::copy(about, packet.push_back(about.size()).begin());
  make_host_unreachable(packet);
  return {packet.bytes().begin(), packet.bytes().end()};
}

TEST(HostUnreachable, OfIpv4GoesBackWithTheWholePacketQuoted) {
  const ByteVector about = ip4(17, kUdp);
  const ByteVector error = unreachable(about);
  ASSERT_EQ(error.size(), 20 + 8 + about.size());
  EXPECT_EQ(ip_length(error), error.size());
  EXPECT_EQ(source_of(error), Ip::parse("10.0.0.9"));
  EXPECT_EQ(destination_of(error), Ip::parse("10.0.0.1"));
  EXPECT_EQ(error[9], 1);
  EXPECT_EQ(checksum_finish(checksum_add(0, ConstBytes(error).first(20))), 0);
  EXPECT_EQ(ByteVector(error.begin() + 20, error.begin() + 22), (ByteVector{3, 1}));
  EXPECT_EQ(checksum_finish(checksum_add(0, ConstBytes(error).subspan(20))), 0);
  EXPECT_EQ(load_be32(&error[24]), 0u);
  EXPECT_TRUE(std::equal(about.begin(), about.end(), error.begin() + 28));
}

TEST(HostUnreachable, OfIpv6SaysThatTheAddressIs) {
  const ByteVector about = ip6(17, kUdp);
  const ByteVector error = unreachable(about);
  ASSERT_EQ(error.size(), 40 + 8 + about.size());
  EXPECT_EQ(ip_length(error), error.size());
  EXPECT_EQ(source_of(error), Ip::parse("fd00::9"));
  EXPECT_EQ(destination_of(error), Ip::parse("fd00::1"));
  EXPECT_EQ(error[6], 58);
  EXPECT_EQ(ByteVector(error.begin() + 40, error.begin() + 42), (ByteVector{1, 3}));
  // The pseudo-header (RFC 8200 8.1): addresses, length, next header.
  ByteVector pseudo(error.begin() + 8, error.begin() + 40);
  pseudo.insert(pseudo.end(), {0, 0, 0, static_cast<uint8_t>(error.size() - 40), 0, 0, 0, 58});
  EXPECT_EQ(checksum_finish(checksum_add(checksum_add(0, pseudo), ConstBytes(error).subspan(40))), 0);
  EXPECT_TRUE(std::equal(about.begin(), about.end(), error.begin() + 48));
}

TEST(HostUnreachable, QuotesNoMoreThanAMinimalLinkCarries) {
  EXPECT_EQ(unreachable(ip4(17, ByteVector(528))).size(), 576u);
  EXPECT_EQ(unreachable(ip4(17, ByteVector(529))).size(), 576u);
  EXPECT_EQ(unreachable(ip4(17, ByteVector(527))).size(), 575u);
  EXPECT_EQ(unreachable(ip6(17, ByteVector(1193))).size(), 1280u);
  EXPECT_EQ(ip_length(unreachable(ip6(17, ByteVector(1400)))), 1280u);
}

TEST(MayBeAnswered, OrdinaryPacketsAre) {
  for (const uint8_t protocol : ByteVector{6, 17, 50, 132}) {
    EXPECT_TRUE(may_be_answered_with_error(ip4(protocol, kUdp)));
    EXPECT_TRUE(may_be_answered_with_error(ip6(protocol, kUdp)));
  }
  EXPECT_TRUE(may_be_answered_with_error(ip4(17, {})));
}

TEST(MayBeAnswered, PingsAreAndErrorsAreNot) {
  for (const uint8_t type : ByteVector{0, 8, 13, 17}) EXPECT_TRUE(may_be_answered_with_error(ip4(1, {type, 0})));
  for (const uint8_t type : ByteVector{3, 4, 5, 11, 12}) EXPECT_FALSE(may_be_answered_with_error(ip4(1, {type, 0})));
  for (const uint8_t type : ByteVector{128, 129, 135}) EXPECT_TRUE(may_be_answered_with_error(ip6(58, {type, 0})));
  for (const uint8_t type : ByteVector{1, 2, 3, 4, 100, 127, 137})
    EXPECT_FALSE(may_be_answered_with_error(ip6(58, {type, 0})));
  EXPECT_FALSE(may_be_answered_with_error(ip4(1, {}))) << "who knows what it is";
  EXPECT_FALSE(may_be_answered_with_error(ip6(58, {})));
}

TEST(MayBeAnswered, AnErrorBehindExtensionHeadersIsFound) {
  ByteVector chain = {60, 0, 0, 0, 0, 0, 0, 0};                                        // hop-by-hop
  chain.insert(chain.end(), {43, 1, 0, 0, 0, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0, 0});       // destination, 16 bytes
  chain.insert(chain.end(), {44, 0, 0, 0, 0, 0, 0, 0, 58, 9, 0, 1, 0, 0, 0, 1, 128});  // routing, first fragment, ping
  EXPECT_TRUE(may_be_answered_with_error(ip6(0, chain)));
  chain.back() = 1;
  EXPECT_FALSE(may_be_answered_with_error(ip6(0, chain)));
  while (!chain.empty()) {
    chain.pop_back();
    EXPECT_FALSE(may_be_answered_with_error(ip6(0, chain))) << "cut to " << chain.size();
  }
}

TEST(MayBeAnswered, FragmentsButTheFirstAreNot) {
  ByteVector packet = ip4(17, kUdp);
  store_be16(&packet[6], 0x2000);
  EXPECT_TRUE(may_be_answered_with_error(packet)) << "more fragments, offset 0";
  store_be16(&packet[6], 0x0001);
  EXPECT_FALSE(may_be_answered_with_error(packet));
  EXPECT_TRUE(may_be_answered_with_error(ip6(44, {17, 0, 0, 1, 0, 0, 0, 1, 0})));
  EXPECT_FALSE(may_be_answered_with_error(ip6(44, {17, 0, 0, 8, 0, 0, 0, 1, 0})));
}

TEST(MayBeAnswered, WhatIsNotFromOneHostToOneHostIsNot) {
  for (const char* many : {"0.0.0.0", "224.0.0.1", "239.255.255.255", "255.255.255.255"}) {
    EXPECT_FALSE(may_be_answered_with_error(ip(many, "10.0.0.9", 17, kUdp))) << many;
    EXPECT_FALSE(may_be_answered_with_error(ip("10.0.0.1", many, 17, kUdp))) << many;
  }
  for (const char* many : {"::", "ff02::1", "ff0e::1"}) {
    EXPECT_FALSE(may_be_answered_with_error(ip(many, "fd00::9", 17, kUdp))) << many;
    EXPECT_FALSE(may_be_answered_with_error(ip("fd00::1", many, 17, kUdp))) << many;
  }
}

TEST(MayBeAnswered, MalformedPacketsAreNot) {
  for (const ByteVector& whole : {ip4(17, kUdp), ip6(17, kUdp)}) {
    for (size_t size = 0; size < whole.size(); ++size) {
      EXPECT_FALSE(may_be_answered_with_error(ConstBytes(whole).first(size))) << size;
    }
  }
  ByteVector packet = ip4(17, kUdp);
  packet[0] = 0x44;
  EXPECT_FALSE(may_be_answered_with_error(packet)) << "a header of 16 bytes";
  packet = ip4(17, ByteVector(20));
  packet[0] = 0x4b;
  EXPECT_FALSE(may_be_answered_with_error(packet)) << "a header of 44 bytes in a packet of 40";
}

}  // namespace
}  // namespace adit
