#include "net/icmp_error.h"

#include <gtest/gtest.h>

#include "net/icmp.h"
#include "net/ip.h"
#include "tests/support/fragments.h"

namespace adit {
namespace {

using test::ByteVector;
using Kind = IcmpError::Kind;

const char* us(bool v4) { return v4 ? "10.0.0.1" : "fd00::1"; }
const char* service(bool v4) { return v4 ? "10.0.0.9" : "fd00::9"; }
const char* router(bool v4) { return v4 ? "10.0.0.254" : "fd00::fe"; }

class IcmpErrorTest : public ::testing::Test {
 protected:
  /// A datagram of ours: what an error is about.
  ByteVector datagram(bool v4, size_t payload = 1000) {
    Packet packet = pool_.take();
    packet.push_back(payload);
    push_udp(packet, {*Ip::parse(us(v4)), 20000}, {*Ip::parse(service(v4)), 5000});
    return test::bytes_of(packet);
  }
  ByteVector ip(bool v4, uint8_t protocol, const ByteVector& content, const char* to = nullptr) {
    Packet packet = test::put(pool_, content);
    push_ip(packet, *Ip::parse(router(v4)), *Ip::parse(to != nullptr ? to : us(v4)), protocol);
    return test::bytes_of(packet);
  }
  ByteVector error(bool v4, uint8_t type, uint8_t code, const ByteVector& quote, uint32_t word = 0,
                   const char* to = nullptr) {
    ByteVector message = {type, code, 0, 0, 0, 0, 0, 0};
    store_be32(&message[4], word);
    message.insert(message.end(), quote.begin(), quote.end());
    uint64_t pseudo = 0;
    if (!v4) {
      const Ip source = *Ip::parse(router(v4));
      pseudo = checksum_add(checksum_add(58 + message.size(), source.bytes()),
                            Ip::parse(to != nullptr ? to : us(v4))->bytes());
    }
    store_be16(&message[2], checksum_finish(checksum_add(pseudo, message)));
    return ip(v4, v4 ? 1 : 58, message, to);
  }

  PacketPool pool_{4, 4096};
};

TEST_F(IcmpErrorTest, UnreachablesAreOfTwoKinds) {
  for (unsigned code = 0; code < 256; ++code) {
    const auto v4 = icmp_error(error(true, 3, static_cast<uint8_t>(code), datagram(true), 500));
    ASSERT_EQ(v4.has_value(), code <= 15) << code;
    if (v4) {
      const Kind kind = code == 4                ? Kind::kTooBig
                        : code == 2 || code == 3 ? Kind::kPortUnreachable
                                                 : Kind::kHostUnreachable;
      EXPECT_EQ(v4->kind, kind) << code;
    }
    const auto v6 = icmp_error(error(false, 1, static_cast<uint8_t>(code), datagram(false)));
    ASSERT_EQ(v6.has_value(), code <= 6) << code;
    if (v6) {
      EXPECT_EQ(v6->kind, code == 4 ? Kind::kPortUnreachable : Kind::kHostUnreachable) << code;
    }
  }
}

TEST_F(IcmpErrorTest, TheQuotedEndpointsAreTold) {
  for (const bool v4 : {true, false}) {
    const auto got = icmp_error(error(v4, v4 ? 3 : 1, v4 ? 3 : 4, datagram(v4)));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->source, (Endpoint{*Ip::parse(us(v4)), 20000}));
    EXPECT_EQ(got->destination, (Endpoint{*Ip::parse(service(v4)), 5000}));
    EXPECT_EQ(got->mtu, 0u);
  }
}

TEST_F(IcmpErrorTest, WhatWeSayOurselvesIsUnderstood) {
  for (const bool v4 : {true, false}) {
    Packet packet = test::put(pool_, datagram(v4));
    make_host_unreachable(packet);
    const auto got = icmp_error(test::bytes_of(packet));
    ASSERT_TRUE(got);
    EXPECT_EQ(got->kind, Kind::kHostUnreachable);
    EXPECT_EQ(got->source, (Endpoint{*Ip::parse(us(v4)), 20000}));
  }
}

TEST_F(IcmpErrorTest, AnMtuIsToldWhenItCanBeOneAndIsNews) {
  const auto mtu_of = [this](bool v4, uint32_t mtu) {
    const auto got = icmp_error(error(v4, v4 ? 3 : 2, v4 ? 4 : 0, datagram(v4, v4 ? 972 : 1352), mtu));
    EXPECT_TRUE(!got || got->kind == Kind::kTooBig);
    return got ? got->mtu : 0;
  };
  EXPECT_EQ(mtu_of(true, 0), 0u);
  EXPECT_EQ(mtu_of(true, 67), 0u);
  EXPECT_EQ(mtu_of(true, 68), 68u);
  EXPECT_EQ(mtu_of(true, 999), 999u);
  EXPECT_EQ(mtu_of(true, 1000), 0u) << "the packet would have fitted";
  EXPECT_EQ(mtu_of(true, 0xffff0000 + 900), 900u) << "the upper half is not the MTU's";
  EXPECT_EQ(mtu_of(false, 0), 0u);
  EXPECT_EQ(mtu_of(false, 1279), 0u);
  EXPECT_EQ(mtu_of(false, 1280), 1280u);
  EXPECT_EQ(mtu_of(false, 1399), 1399u);
  EXPECT_EQ(mtu_of(false, 1400), 0u);
  EXPECT_EQ(mtu_of(false, 0x10000 + 1300), 0u);
}

TEST_F(IcmpErrorTest, OtherMessagesAreNone) {
  for (unsigned type = 0; type < 256; ++type) {
    if (type != 3) {
      EXPECT_FALSE(icmp_error(error(true, static_cast<uint8_t>(type), 0, datagram(true)))) << type;
    }
    if (type != 1 && type != 2) {
      EXPECT_FALSE(icmp_error(error(false, static_cast<uint8_t>(type), 0, datagram(false), 1280))) << type;
    }
  }
  EXPECT_FALSE(icmp_error(datagram(true)));
  EXPECT_FALSE(icmp_error({}));
}

TEST_F(IcmpErrorTest, AQuoteMayEndBehindTheUdpHeader) {
  for (const bool v4 : {true, false}) {
    const ByteVector whole = datagram(v4);
    for (size_t size = 0; size <= whole.size(); size += size < 60 ? 1 : 97) {
      const auto got = icmp_error(error(v4, v4 ? 3 : 1, v4 ? 3 : 4, test::part_of(whole, 0, size)));
      EXPECT_EQ(got.has_value(), size >= (v4 ? 28u : 48u)) << size;
    }
  }
}

TEST_F(IcmpErrorTest, EveryByteThatIsWrongIsFound) {
  for (const bool v4 : {true, false}) {
    const ByteVector right = error(v4, v4 ? 3 : 1, v4 ? 3 : 4, datagram(v4, 10));
    ASSERT_TRUE(icmp_error(right));
    for (size_t at = 0; at < right.size(); ++at) {
      // Of IPv6: traffic class, flow label and hop limit are in no checksum.
      if (!v4 && (at <= 3 || at == 7)) continue;
      ByteVector wrong = right;
      wrong[at] ^= 1;
      EXPECT_FALSE(icmp_error(wrong)) << at;
    }
    for (size_t size = 0; size < right.size(); ++size) EXPECT_FALSE(icmp_error(ConstBytes(right).first(size)));
    ByteVector padded = right;
    padded.resize(padded.size() + 15, 1);
    EXPECT_TRUE(icmp_error(padded));
  }
}

TEST_F(IcmpErrorTest, AnErrorThatIsAFragmentIsNone) {
  ByteVector packet = error(true, 3, 3, datagram(true));
  store_be16(&packet[6], 0x2000);
  store_be16(&packet[10], 0);
  store_be16(&packet[10], checksum_finish(checksum_add(0, ConstBytes(packet).first(20))));
  EXPECT_FALSE(icmp_error(packet));
}

TEST_F(IcmpErrorTest, AQuoteMustBeOfADatagramThatItsReceiverSent) {
  for (const bool v4 : {true, false}) {
    const auto quoting = [&](const ByteVector& quote, const char* to = nullptr) {
      return icmp_error(error(v4, v4 ? 3 : 1, v4 ? 3 : 4, quote, 0, to)).has_value();
    };
    EXPECT_TRUE(quoting(datagram(v4)));
    EXPECT_FALSE(quoting(datagram(!v4)));
    EXPECT_FALSE(quoting(datagram(v4), v4 ? "10.0.0.2" : "fd00::2"));
    ByteVector other = datagram(v4);
    other[v4 ? 9 : 6] = 6;
    EXPECT_FALSE(quoting(other)) << "TCP";
    other = datagram(v4);
    store_be16(&other[v4 ? 24 : 44], 7);
    EXPECT_FALSE(quoting(other)) << "a UDP length of 7";
    other = datagram(v4);
    store_be16(&other[v4 ? 2 : 4], v4 ? 27 : 7);
    EXPECT_FALSE(quoting(other)) << "an IP packet too short for UDP";
  }
  ByteVector short_header = datagram(true);
  short_header[0] = 0x44;
  EXPECT_FALSE(icmp_error(error(true, 3, 3, short_header)));
}

TEST_F(IcmpErrorTest, OfFragmentsTheFirstHasTheEndpoints) {
  const ByteVector whole = datagram(true);
  for (const auto& [field, expected] : {std::pair{0x2000, true}, {0x4000, true}, {0x2001, false}, {0x0001, false}}) {
    ByteVector quote = whole;
    store_be16(&quote[6], static_cast<uint16_t>(field));
    EXPECT_EQ(icmp_error(error(true, 3, 3, quote)).has_value(), expected) << field;
  }
  for (const auto& [field, expected] : {std::pair{1, true}, {0, true}, {8, false}, {9, false}}) {
    ByteVector quote = datagram(false);
    quote.insert(quote.begin() + 40, {17, 0, 0, static_cast<uint8_t>(field), 0, 0, 0, 1});
    quote[6] = 44;
    const auto got = icmp_error(error(false, 1, 4, quote));
    EXPECT_EQ(got.has_value(), expected) << field;
    if (got) {
      EXPECT_EQ(got->source.port, 20000);
    }
    quote[40] = 6;
    EXPECT_FALSE(icmp_error(error(false, 1, 4, quote)));
    EXPECT_FALSE(icmp_error(error(false, 1, 4, test::part_of(quote, 0, 47))));
    EXPECT_FALSE(icmp_error(error(false, 1, 4, test::part_of(quote, 0, 55))));
  }
}

}  // namespace
}  // namespace adit
