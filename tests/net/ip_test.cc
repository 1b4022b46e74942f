#include "net/ip.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace adit {
namespace {

using ByteVector = std::vector<uint8_t>;

const Endpoint kSource4 = Endpoint::parse("192.0.2.1:40000").value();
const Endpoint kDestination4 = Endpoint::parse("198.51.100.2:53").value();
const Endpoint kSource6 = Endpoint::parse("[2001:db8::1]:40000").value();
const Endpoint kDestination6 = Endpoint::parse("[fd00::2]:53").value();

void append(ByteVector& to, ConstBytes bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }
void append16(ByteVector& to, size_t value) {
  to.push_back(static_cast<uint8_t>(value >> 8));
  to.push_back(static_cast<uint8_t>(value));
}

/// Packets written out by hand; the UDP checksum is left at zero.
ByteVector udp4(size_t payload_size, size_t option_words = 0) {
  const size_t header_size = 20 + option_words * 4;
  ByteVector packet = {static_cast<uint8_t>(0x45 + option_words), 0};
  append16(packet, header_size + 8 + payload_size);
  append(packet, ByteVector{0x12, 0x34, 0x40, 0x00, 64, 17, 0, 0});
  append(packet, kSource4.ip.bytes());
  append(packet, kDestination4.ip.bytes());
  packet.resize(header_size, 1);  // "no operation"
  append16(packet, kSource4.port);
  append16(packet, kDestination4.port);
  append16(packet, 8 + payload_size);
  append16(packet, 0);
  packet.resize(header_size + 8 + payload_size, 0xab);
  return packet;
}

ByteVector udp6(size_t payload_size) {
  ByteVector packet = {0x60, 0, 0, 0};
  append16(packet, 8 + payload_size);
  append(packet, ByteVector{17, 64});
  append(packet, kSource6.ip.bytes());
  append(packet, kDestination6.ip.bytes());
  append16(packet, kSource6.port);
  append16(packet, kDestination6.port);
  append16(packet, 8 + payload_size);
  append16(packet, 0);
  packet.resize(48 + payload_size, 0xab);
  return packet;
}

ByteVector with(ByteVector packet, size_t at, std::initializer_list<uint8_t> bytes) {
  std::ranges::copy(bytes, packet.begin() + static_cast<std::ptrdiff_t>(at));
  return packet;
}

/// The Internet checksum over IP pseudo-header and UDP, in the plainest way (RFC 768, RFC 8200 8.1): the bytes are laid
/// out and added up.  Zero when the packet carries the right one.
uint16_t plain_udp_checksum(ConstBytes packet) {
  const bool v4 = packet[0] >> 4 == 4;
  ByteVector bytes;
  const ConstBytes udp = packet.subspan(v4 ? 20 : 40);
  append(bytes, v4 ? packet.subspan(12, 8) : packet.subspan(8, 32));
  append16(bytes, 0);
  append16(bytes, udp.size());
  append16(bytes, 0);
  append16(bytes, 17);
  append(bytes, udp);
  if (bytes.size() % 2 != 0) bytes.push_back(0);
  uint32_t sum = 0;
  for (size_t i = 0; i < bytes.size(); i += 2) {
    sum += static_cast<uint32_t>(bytes[i] << 8 | bytes[i + 1]);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<uint16_t>(0xffff - sum);
}

TEST(IpAddresses, AreReadFromBothVersions) {
  EXPECT_EQ(source_of(udp4(0)), kSource4.ip);
  EXPECT_EQ(destination_of(udp4(0)), kDestination4.ip);
  EXPECT_EQ(source_of(udp6(0)), kSource6.ip);
  EXPECT_EQ(destination_of(udp6(0)), kDestination6.ip);
}

TEST(IpAddresses, NeedOnlyTheFixedHeaderButAllOfIt) {
  for (const auto& [packet, header_size] : {std::pair{udp4(0), 20u}, std::pair{udp6(0), 40u}}) {
    for (size_t size = 0; size <= packet.size(); ++size) {
      const ByteVector cut(packet.begin(),
                           packet.begin() + static_cast<std::ptrdiff_t>(size));  // sanitizers see its end
      EXPECT_EQ(source_of(cut).has_value(), size >= header_size) << size;
      EXPECT_EQ(destination_of(cut).has_value(), size >= header_size) << size;
    }
  }
}

TEST(IpAddresses, AreNotReadFromOtherVersions) {
  for (const unsigned version : {0u, 1u, 2u, 3u, 5u, 7u, 8u, 15u}) {
    const ByteVector packet = with(udp6(100), 0, {static_cast<uint8_t>(version << 4 | 5)});
    EXPECT_FALSE(source_of(packet)) << version;
    EXPECT_FALSE(destination_of(packet)) << version;
    EXPECT_FALSE(ip_length(packet)) << version;
    EXPECT_FALSE(udp_view(packet)) << version;
  }
}

TEST(IpAddresses, OfIpv6AreRefusedWhenTheyWouldPassForIpv4) {
  const std::initializer_list<uint8_t> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
  const ByteVector from_mapped = with(udp6(10), 8, mapped);
  EXPECT_FALSE(source_of(from_mapped));
  EXPECT_TRUE(destination_of(from_mapped));
  EXPECT_FALSE(udp_view(from_mapped));
  const ByteVector to_mapped = with(udp6(10), 24, mapped);
  EXPECT_TRUE(source_of(to_mapped));
  EXPECT_FALSE(destination_of(to_mapped));
  EXPECT_FALSE(udp_view(to_mapped));
}

TEST(IpLength, IsWhatTheHeaderSaysHoweverMuchFollows) {
  for (const size_t padding : {0u, 1u, 15u}) {
    ByteVector packet4 = udp4(30);
    packet4.resize(packet4.size() + padding);
    EXPECT_EQ(ip_length(packet4), 58u);
    ByteVector packet6 = udp6(30);
    packet6.resize(packet6.size() + padding);
    EXPECT_EQ(ip_length(packet6), 78u);
  }
}

TEST(IpLength, RefusesEveryClaimThatDoesNotFit) {
  for (unsigned claim = 0; claim <= 0xffff; ++claim) {
    const auto high = static_cast<uint8_t>(claim >> 8);
    const auto low = static_cast<uint8_t>(claim);
    const auto length4 = ip_length(with(udp4(30), 2, {high, low}));
    if (claim >= 20 && claim <= 58) {
      ASSERT_EQ(length4, claim);
    } else {
      ASSERT_FALSE(length4) << claim;
    }
    const auto length6 = ip_length(with(udp6(30), 4, {high, low}));  // claims near 65535 must not wrap around
    if (claim <= 38) {
      ASSERT_EQ(length6, claim + 40);
    } else {
      ASSERT_FALSE(length6) << claim;
    }
  }
}

TEST(IpLength, NeedsTheWholeFixedHeader) {
  EXPECT_FALSE(ip_length({}));
  EXPECT_FALSE(ip_length(ByteVector{0x45}));
  EXPECT_FALSE(ip_length(ByteVector{0x60}));
  const ByteVector packet4 = with(udp4(0), 2, {0, 20});
  EXPECT_EQ(ip_length(ConstBytes(packet4).first(20)), 20u);
  EXPECT_FALSE(ip_length(ConstBytes(packet4).first(19)));
  const ByteVector packet6 = with(udp6(0), 4, {0, 0});
  EXPECT_EQ(ip_length(ConstBytes(packet6).first(40)), 40u);
  EXPECT_FALSE(ip_length(ConstBytes(packet6).first(39)));
}

TEST(UdpView, ShowsTheDatagramWithoutPadding) {
  for (auto [packet, source, destination, header_size] :
       {std::tuple{udp4(5), kSource4, kDestination4, 20u}, std::tuple{udp4(5, 10), kSource4, kDestination4, 60u},
        std::tuple{udp6(5), kSource6, kDestination6, 40u}}) {
    packet.resize(packet.size() + 11);
    const auto view = udp_view(packet);
    ASSERT_TRUE(view);
    EXPECT_EQ(view->source, source);
    EXPECT_EQ(view->destination, destination);
    EXPECT_EQ(view->ip_header.size(), header_size);
    EXPECT_EQ(view->ip_header.data(), packet.data());
    EXPECT_EQ(view->udp.data(), packet.data() + header_size);
    EXPECT_EQ(view->udp.size(), 13u);
    ASSERT_TRUE(view->length_fits());
    EXPECT_TRUE(std::ranges::equal(view->payload(), ByteVector(5, 0xab)));
  }
}

TEST(UdpView, IsEmptyForOtherProtocols) {
  for (unsigned protocol = 0; protocol < 256; ++protocol) {
    const auto number = static_cast<uint8_t>(protocol);
    EXPECT_EQ(udp_view(with(udp4(20), 9, {number})).has_value(), number == 17) << protocol;
    // For IPv6 also extension headers: hop-by-hop 0, routing 43, fragment 44, destination options 60, ...
    EXPECT_EQ(udp_view(with(udp6(20), 6, {number})).has_value(), number == 17) << protocol;
  }
}

TEST(UdpView, IsEmptyForFragments) {
  EXPECT_FALSE(udp_view(with(udp4(20), 6, {0x20, 0x00})));  // the first one
  EXPECT_FALSE(udp_view(with(udp4(20), 6, {0x20, 0x05})));  // one in the middle
  EXPECT_FALSE(udp_view(with(udp4(20), 6, {0x00, 0x05})));  // the last one
  EXPECT_FALSE(udp_view(with(udp4(20), 6, {0x1f, 0x00})));
  EXPECT_TRUE(udp_view(with(udp4(20), 6, {0x40, 0x00})));  // "do not fragment"
  EXPECT_TRUE(udp_view(with(udp4(20), 6, {0x00, 0x00})));
}

TEST(UdpView, IsEmptyWhenTheIpv4HeaderLengthLies) {
  for (unsigned words = 0; words < 16; ++words) {
    const auto view = udp_view(with(udp4(8), 0, {static_cast<uint8_t>(0x40 | words)}));  // 36 bytes in all
    EXPECT_EQ(view.has_value(), words >= 5 && words <= 7) << words;
  }
}

TEST(UdpView, NeedsTheUdpHeaderInsideTheIpLength) {
  for (unsigned length = 20; length < 40; ++length) {
    EXPECT_EQ(udp_view(with(udp4(20), 2, {0, static_cast<uint8_t>(length)})).has_value(), length >= 28) << length;
  }
  for (unsigned length = 0; length < 20; ++length) {
    EXPECT_EQ(udp_view(with(udp6(20), 4, {0, static_cast<uint8_t>(length)})).has_value(), length >= 8) << length;
  }
}

TEST(UdpStart, IsThatOfWholeDatagramsAndOfFirstFragments) {
  const auto offset = [](const ByteVector& packet) {
    const ConstBytes start = udp_start(packet);
    return start.empty() ? std::ptrdiff_t{-1} : start.data() - packet.data();
  };
  const auto fragment6 = [](std::initializer_list<uint8_t> header) {
    ByteVector packet = with(udp6(20), 6, {44});
    packet.insert(packet.begin() + 40, header);
    return packet;
  };
  EXPECT_EQ(offset(udp4(20)), 20);
  EXPECT_EQ(offset(udp4(20, 10)), 60);
  EXPECT_EQ(offset(udp6(20)), 40);
  EXPECT_EQ(offset(with(udp4(20), 6, {0x20, 0x00})), 20);
  EXPECT_EQ(offset(with(udp4(20), 6, {0x20, 0x01})), -1);
  EXPECT_EQ(offset(with(udp4(20), 6, {0x10, 0x00})), -1);
  EXPECT_EQ(offset(with(udp4(20), 0, {0x44})), -1) << "no room for the header itself";
  EXPECT_EQ(offset(fragment6({17, 0, 0, 1, 1, 2, 3, 4})), 48);
  EXPECT_EQ(offset(fragment6({17, 0, 0, 8, 1, 2, 3, 4})), -1);
  EXPECT_EQ(offset(fragment6({17, 0, 0x80, 1, 1, 2, 3, 4})), -1);
  EXPECT_EQ(offset(fragment6({6, 0, 0, 1, 1, 2, 3, 4})), -1);
  EXPECT_EQ(offset(with(udp4(20), 9, {6})), -1);
  EXPECT_EQ(offset(with(udp6(20), 6, {6})), -1);
}

TEST(UdpStart, NeedsTheWholeUdpHeader) {
  ByteVector fragment = with(udp6(0), 6, {44});
  fragment.insert(fragment.begin() + 40, {17, 0, 0, 1, 1, 2, 3, 4});
  for (const ByteVector& packet : {udp4(0), udp4(0, 10), udp6(0), fragment}) {
    for (size_t size = 0; size <= packet.size(); ++size) {
      const ByteVector cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_EQ(udp_start(cut).empty(), size < packet.size()) << size;
    }
  }
}

TEST(UdpView, SurvivesEveryTruncation) {
  for (const ByteVector& packet : {udp4(9), udp4(9, 10), udp6(9)}) {
    for (size_t size = 0; size < packet.size(); ++size) {
      const ByteVector cut(packet.begin(), packet.begin() + static_cast<std::ptrdiff_t>(size));
      EXPECT_FALSE(udp_view(cut)) << size;
    }
  }
}

TEST(UdpView, SaysWhenTheUdpLengthLies) {
  for (unsigned claim = 0; claim <= 0xffff; ++claim) {
    const ByteVector packet =
        with(udp4(30), 20 + 4, {static_cast<uint8_t>(claim >> 8), static_cast<uint8_t>(claim), 0x12, 0x34});
    const auto view = udp_view(packet);
    ASSERT_TRUE(view);
    ASSERT_EQ(view->length_fits(), claim >= 8 && claim <= 38) << claim;
    if (view->length_fits()) {
      ASSERT_EQ(view->payload().size(), claim - 8);
    } else {
      ASSERT_FALSE(view->checksum_fits()) << claim;
    }
  }
}

TEST(UdpView, CountsOnlyTheUdpLengthIntoTheChecksum) {
  ByteVector packet = udp4(6);
  store_be16(&packet[26], plain_udp_checksum(packet));
  ASSERT_TRUE(udp_view(packet)->checksum_fits());
  append(packet, ByteVector{1, 2, 3});  // inside the IP packet, behind the UDP datagram (RFC 9868 calls it surplus)
  store_be16(&packet[2], static_cast<uint16_t>(packet.size()));
  const auto view = udp_view(packet);
  EXPECT_TRUE(view->checksum_fits());
  EXPECT_EQ(view->payload().size(), 6u);
}

TEST(UdpView, TakesAZeroChecksumOnIpv4Only) {
  EXPECT_TRUE(udp_view(udp4(7))->checksum_fits());
  EXPECT_FALSE(udp_view(udp6(7))->checksum_fits());
}

TEST(UdpView, SeesEveryFlippedBitByTheChecksum) {
  for (ByteVector packet : {udp4(7), udp6(7)}) {
    const size_t udp = packet.size() - 15;
    store_be16(&packet[udp + 6], plain_udp_checksum(packet));
    ASSERT_TRUE(udp_view(packet)->checksum_fits());
    const size_t addresses = udp == 20 ? 12 : 8;
    for (size_t bit = addresses * 8; bit < packet.size() * 8; ++bit) {
      ByteVector damaged = packet;
      damaged[bit / 8] ^= static_cast<uint8_t>(1u << bit % 8);
      const auto view = udp_view(damaged);
      EXPECT_FALSE(view && view->checksum_fits()) << "bit " << bit;
    }
  }
}

class PushUdp : public testing::Test {
 protected:
  Packet packet_with(ConstBytes payload) {
    Packet packet = pool_.take();
    std::ranges::copy(payload, packet.push_back(payload.size()).begin());
    return packet;
  }
  PacketPool pool_{1, 65535};
};

TEST_F(PushUdp, WritesAnIpv4PacketByteForByte) {
  Packet packet = packet_with(ByteVector{'a', 'b', 'c'});
  push_udp(packet, kSource4, kDestination4);
  ByteVector expected = {0x45, 0,  0,   31, 0,    0,    0, 0,  64, 17, 0x8e, 0x97, 192, 0,   2,  1,
                         198,  51, 100, 2,  0x9c, 0x40, 0, 53, 0,  11, 0,    0,    'a', 'b', 'c'};
  store_be16(&expected[26], plain_udp_checksum(expected));
  EXPECT_TRUE(std::ranges::equal(packet.bytes(), expected));
}

TEST_F(PushUdp, WritesAnIpv6PacketByteForByte) {
  Packet packet = packet_with(ByteVector(5, 0xab));
  push_udp(packet, kSource6, kDestination6);
  ByteVector expected = udp6(5);
  store_be16(&expected[46], plain_udp_checksum(expected));
  EXPECT_TRUE(std::ranges::equal(packet.bytes(), expected));
}

TEST_F(PushUdp, HasRightChecksumsAtEveryLength) {
  std::mt19937 random(1);
  for (size_t size = 0; size <= 1500; ++size) {
    ByteVector payload(size);
    for (uint8_t& byte : payload) byte = static_cast<uint8_t>(random());
    for (const auto& [source, destination] : {std::pair{kSource4, kDestination4}, std::pair{kSource6, kDestination6}}) {
      Packet packet = packet_with(payload);
      push_udp(packet, source, destination);
      ASSERT_EQ(packet.size(), size + udp_overhead(source.ip.is_v4()));
      ASSERT_EQ(plain_udp_checksum(packet.bytes()), 0) << size;
      ASSERT_EQ(ip_length(packet.bytes()), packet.size());
      const auto view = udp_view(packet.bytes());
      ASSERT_TRUE(view && view->length_fits() && view->checksum_fits()) << size;
      ASSERT_EQ(view->source, source);
      ASSERT_EQ(view->destination, destination);
      ASSERT_TRUE(std::ranges::equal(view->payload(), payload)) << size;
    }
  }
}

TEST_F(PushUdp, NeverWritesAZeroUdpChecksum) {
  // With all ones over the rest, one of the 65536 payloads of two bytes comes out as zero, which would mean "none".
  for (const auto& [source, destination] : {std::pair{kSource4, kDestination4}, std::pair{kSource6, kDestination6}}) {
    int all_ones = 0;
    for (unsigned value = 0; value <= 0xffff; ++value) {
      Packet packet = packet_with(ByteVector{static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)});
      push_udp(packet, source, destination);
      const auto view = udp_view(packet.bytes());
      ASSERT_NE(load_be16(&view->udp[6]), 0) << value;
      ASSERT_TRUE(view->checksum_fits()) << value;
      all_ones += load_be16(&view->udp[6]) == 0xffff;
    }
    EXPECT_GE(all_ones, 1);
  }
}

TEST_F(PushUdp, FillsTheLargestPacketThatLengthsAllow) {
  Packet packet = packet_with(ByteVector(65535 - 28, 0xff));
  push_udp(packet, kSource4, kDestination4);
  EXPECT_EQ(packet.size(), 65535u);
  EXPECT_EQ(ip_length(packet.bytes()), 65535u);
  EXPECT_TRUE(udp_view(packet.bytes())->checksum_fits());
}

}  // namespace
}  // namespace adit
