#include "forward/rewrite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <string>

#include "net/checksum.h"
#include "tests/forward/packets.h"

namespace adit::forward {
namespace {

constexpr size_t kUdpLengthV4 = kIpv4HeaderSize + 4;
constexpr size_t kUdpLengthV6 = kIpv6HeaderSize + 4;
constexpr size_t kUdpChecksumV4 = kIpv4HeaderSize + 6;
constexpr size_t kUdpChecksumV6 = kIpv6HeaderSize + 6;

class Rewrite : public testing::Test {
 protected:
  Packet v4(std::string_view payload) {
    return udp_packet(pool_, endpoint("10.1.2.2:34197"), endpoint("10.1.2.5:20000"), payload);
  }
  Packet v6(std::string_view payload) {
    return udp_packet(pool_, endpoint("[fd00::2]:34197"), endpoint("[fd00::5]:20000"), payload);
  }
  static Drop unwrap(Packet& packet) { return unwrap_udp(packet, udp_view(packet.bytes()).value()); }

  /// Why a packet is refused when bits of one byte are flipped; a refused packet stays as it was.
  static Drop unwrap_with(Packet packet, size_t offset, uint8_t flipped) {
    packet.bytes()[offset] ^= flipped;
    const std::string before = text_of(packet);
    const Drop drop = unwrap(packet);
    EXPECT_EQ(text_of(packet), before);
    return drop;
  }

  PacketPool pool_{8, 2048};
};

TEST_F(Rewrite, WrapsAPayloadForTheService) {
  Packet packet = packet_of(pool_, "hello");
  wrap_udp(packet, {.ours = endpoint("10.1.2.5:20000"), .remote = endpoint("10.1.2.2:34197")}, 7);
  EXPECT_EQ(packet.size(), 33u);
  EXPECT_EQ(packet.bytes()[0], 0x45);
  const UdpView view = udp_view(packet.bytes()).value();
  EXPECT_EQ(view.source, endpoint("10.1.2.5:20000"));
  EXPECT_EQ(view.destination, endpoint("10.1.2.2:34197"));
  EXPECT_EQ(text_of(view.payload()), "hello");
  EXPECT_TRUE(view.checksum_fits());
}

TEST_F(Rewrite, FitsCountsWhatTheServicesVersionCounts) {
  EXPECT_TRUE(fits_udp(65507, true));
  EXPECT_FALSE(fits_udp(65508, true));
  EXPECT_TRUE(fits_udp(65527, false));
  EXPECT_FALSE(fits_udp(65528, false));
}

TEST_F(Rewrite, UnwrapLeavesThePayload) {
  Packet from_v4 = v4("answer");
  EXPECT_EQ(unwrap(from_v4), Drop::kNone);
  EXPECT_EQ(text_of(from_v4), "answer");
  Packet from_v6 = v6("answer");
  EXPECT_EQ(unwrap(from_v6), Drop::kNone);
  EXPECT_EQ(text_of(from_v6), "answer");
}

TEST_F(Rewrite, UnwrapTakesAnEmptyPayload) {
  Packet packet = v6("");
  EXPECT_EQ(unwrap(packet), Drop::kNone);
  EXPECT_EQ(packet.size(), 0u);
}

TEST_F(Rewrite, UnwrapCutsOffWhatFollowsTheDatagram) {
  Packet packet = v4("answer");
  std::ranges::fill(packet.push_back(11), uint8_t{0xee});  // padding behind the IP packet
  EXPECT_EQ(unwrap(packet), Drop::kNone);
  EXPECT_EQ(text_of(packet), "answer");

  // Three bytes that belong to the IP packet but not to the UDP datagram inside it.
  packet = v6("answer");
  std::ranges::fill(packet.push_back(3), uint8_t{0xee});
  store_be16(&packet.bytes()[4], static_cast<uint16_t>(packet.size() - kIpv6HeaderSize));
  EXPECT_EQ(unwrap(packet), Drop::kNone);
  EXPECT_EQ(text_of(packet), "answer");
}

TEST_F(Rewrite, UnwrapStepsOverIpv4Options) {
  Packet packet = v4("answer");
  const std::string header = text_of(packet.bytes().first(kIpv4HeaderSize));
  packet.push_front(4);
  const Bytes bytes = packet.bytes();
  std::ranges::copy(header, bytes.begin());
  bytes[0] = 0x46;
  std::ranges::fill(bytes.subspan(kIpv4HeaderSize, 4), uint8_t{1});  // four no-operations
  store_be16(&bytes[2], static_cast<uint16_t>(packet.size()));
  store_be16(&bytes[10], 0);
  store_be16(&bytes[10], checksum_finish(checksum_add(0, bytes.first(24))));
  EXPECT_EQ(unwrap(packet), Drop::kNone);
  EXPECT_EQ(text_of(packet), "answer");
}

TEST_F(Rewrite, UnwrapRefusesAWrongIpv4HeaderChecksum) {
  EXPECT_EQ(unwrap_with(v4("answer"), 10, 0x01), Drop::kBadChecksum);
  EXPECT_EQ(unwrap_with(v4("answer"), 8, 0x20), Drop::kBadChecksum);  // the hop limit, which UDP does not cover
}

TEST_F(Rewrite, UnwrapRefusesAWrongUdpChecksum) {
  EXPECT_EQ(unwrap_with(v4("answer"), kUdpChecksumV4, 0x01), Drop::kBadChecksum);
  EXPECT_EQ(unwrap_with(v6("answer"), kUdpChecksumV6, 0x01), Drop::kBadChecksum);
  EXPECT_EQ(unwrap_with(v4("answer"), kIpv4HeaderSize + kUdpHeaderSize, 0x80), Drop::kBadChecksum);
  EXPECT_EQ(unwrap_with(v6("answer"), 39, 0x80), Drop::kBadChecksum);  // our address
}

TEST_F(Rewrite, NoUdpChecksumIsRightOnIpv4AndWrongOnIpv6) {
  Packet packet = v4("answer");
  store_be16(&packet.bytes()[kUdpChecksumV4], 0);
  EXPECT_EQ(unwrap(packet), Drop::kNone);
  EXPECT_EQ(text_of(packet), "answer");
  packet = v6("answer");
  store_be16(&packet.bytes()[kUdpChecksumV6], 0);
  EXPECT_EQ(unwrap(packet), Drop::kBadChecksum);
}

TEST_F(Rewrite, UnwrapRefusesEveryUdpLengthThatDoesNotFit) {
  const auto drop_for = [](Packet packet, size_t offset, uint16_t length) {
    store_be16(&packet.bytes()[offset], length);
    return unwrap(packet);
  };
  for (const uint16_t length : std::initializer_list<uint16_t>{0, 1, 7, 15, 1000, 65535}) {
    EXPECT_EQ(drop_for(v4("answer"), kUdpLengthV4, length), Drop::kBadUdpLength) << length;
    EXPECT_EQ(drop_for(v6("answer"), kUdpLengthV6, length), Drop::kBadUdpLength) << length;
  }
  // 13 fits, but then the checksum is another datagram's.
  EXPECT_EQ(drop_for(v4("answer"), kUdpLengthV4, 13), Drop::kBadChecksum);
}

}  // namespace
}  // namespace adit::forward
