// Super-packets that are not what their headers say, and those at the edge of what is taken.

#include <gtest/gtest.h>

#include "net/segment.h"
#include "tests/support/ip_packets.h"

namespace adit {
namespace {

using test::Flow;
using test::IpPacket;

const Flow kFlows[] = {{true, true}, {false, true}, {true, false}, {false, false}};

class SegmentRefusals : public testing::Test {
 protected:
  static VnetHeader header_for(const Flow& flow, size_t segment_size, size_t extensions = 0) {
    const IpPacket packet(flow, 1);
    const auto kind = !flow.tcp ? VnetHeader::Gso::kUdp : flow.v4 ? VnetHeader::Gso::kTcp4 : VnetHeader::Gso::kTcp6;
    return {VnetHeader::kNeedsChecksum,
            static_cast<uint8_t>(kind),
            static_cast<uint16_t>(packet.headers() + extensions),
            static_cast<uint16_t>(segment_size),
            static_cast<uint16_t>(packet.ip_header() + extensions),
            static_cast<uint16_t>(flow.tcp ? 16 : 6)};
  }
  static IpPacket super(const Flow& flow, size_t payload) { return IpPacket(flow, payload).leave_checksum(); }
  /// With a first extension header of 8 bytes behind the IPv6 header.
  static std::vector<uint8_t> extended(const IpPacket& packet, uint8_t type) {
    std::vector<uint8_t> bytes = packet.bytes();
    const std::array<uint8_t, 8> extension = {bytes[6], 0, 1, 4, 0, 0, 0, 0};
    bytes.insert(bytes.begin() + 40, extension.begin(), extension.end());
    bytes[6] = type;
    store_be16(&bytes[4], static_cast<uint16_t>(bytes.size() - 40));
    return bytes;
  }
  Drop cut(ConstBytes bytes, const VnetHeader& header) {
    out_.clear();
    return segment(bytes, header, pool_, out_);
  }
  bool refuses(ConstBytes bytes, const VnetHeader& header) {
    return cut(bytes, header) == Drop::kBadOffload && out_.empty();
  }
  /// The transport's checksum of a segment, added up with `destination` in the pseudo-header.
  static uint16_t checksum_of(ConstBytes packet, size_t transport, uint8_t protocol, ConstBytes destination) {
    const ConstBytes upper = packet.subspan(transport);
    const uint64_t sum = checksum_add(checksum_add(protocol + upper.size(), packet.subspan(8, 16)), destination);
    return checksum_finish(checksum_add(sum, upper));
  }

  PacketPool pool_{128, 1500};
  PacketBatch out_;
};

TEST_F(SegmentRefusals, AChangedByteOfTheHeadersThatMatters) {
  const auto refuses_byte = [&](const Flow& flow, size_t at, uint8_t value) {
    IpPacket packet = super(flow, 300);
    packet.bytes()[at] = value;
    return refuses(packet.bytes(), header_for(flow, 100));
  };
  const Flow tcp4, tcp6{false}, udp4{true, false};
  EXPECT_TRUE(refuses_byte(tcp4, 0, 0x44)) << "IPv4 header of 16 bytes";
  EXPECT_TRUE(refuses_byte(tcp4, 0, 0x4f)) << "IPv4 header of 60 bytes, TCP elsewhere";
  EXPECT_TRUE(refuses_byte(tcp4, 0, 0x75)) << "IP version 7";
  EXPECT_TRUE(refuses_byte(tcp4, 3, 0x53)) << "IPv4 length too short";
  EXPECT_TRUE(refuses_byte(tcp4, 2, 0xff)) << "IPv4 length too long";
  EXPECT_TRUE(refuses_byte(tcp4, 6, 0x20)) << "more fragments";
  EXPECT_TRUE(refuses_byte(tcp4, 7, 0x01)) << "a later fragment";
  EXPECT_TRUE(refuses_byte(tcp4, 9, 17)) << "UDP in a TCP super-packet";
  EXPECT_TRUE(refuses_byte(tcp4, 32, 0x40)) << "TCP header of 16 bytes";
  EXPECT_TRUE(refuses_byte(tcp6, 4, 0xff)) << "IPv6 length too long";
  EXPECT_TRUE(refuses_byte(tcp6, 5, 1)) << "IPv6 length too short";
  EXPECT_TRUE(refuses_byte(tcp6, 6, 17)) << "UDP in a TCP super-packet, IPv6";
  EXPECT_TRUE(refuses_byte(udp4, 25, 0)) << "UDP length";
  IpPacket small = super(tcp4, 20);
  small.upper()[12] = 0xf0;
  EXPECT_TRUE(refuses(small.bytes(), header_for(tcp4, 10))) << "TCP header longer than the packet";
}

/// With what would be a fine TCP header, were an IPv4 header of 16 bytes.
TEST_F(SegmentRefusals, AnIpv4HeaderThatIsTooShortWhateverStandsBehindIt) {
  const Flow flow;
  IpPacket packet = super(flow, 300);
  packet.bytes()[0] = 0x44;
  packet.bytes()[28] = 0x50;
  VnetHeader header = header_for(flow, 100);
  header.checksum_start = 16;
  EXPECT_TRUE(refuses(packet.bytes(), header));
}

TEST_F(SegmentRefusals, EveryPacketThatWasCutShort) {
  for (const Flow& flow : kFlows) {
    const IpPacket packet = super(flow, 30);
    for (size_t size = 0; size < packet.bytes().size(); ++size) {
      const std::vector<uint8_t> shorter(packet.bytes().begin(), packet.bytes().begin() + static_cast<ptrdiff_t>(size));
      EXPECT_TRUE(refuses(shorter, header_for(flow, 10))) << size;
    }
  }
}

TEST_F(SegmentRefusals, EveryTypeButItsOwn) {
  for (const Flow& flow : kFlows) {
    const IpPacket packet = super(flow, 300);
    for (unsigned type = 1; type <= 0xff; ++type) {
      VnetHeader header = header_for(flow, 100);
      const uint8_t right = header.gso_type;
      header.gso_type = static_cast<uint8_t>(type);
      const bool fits = type == right || (flow.tcp && type == (right | VnetHeader::kEcn));
      EXPECT_EQ(refuses(packet.bytes(), header), !fits) << type;
    }
  }
}

TEST_F(SegmentRefusals, ATransportThatIsNotWhereTheHeadersEnd) {
  const Flow flow{false};
  const IpPacket packet = super(flow, 300);
  for (const size_t start : {size_t{39}, size_t{41}, size_t{47}, size_t{48}, packet.bytes().size(), size_t{65535}}) {
    VnetHeader header = header_for(flow, 100);
    header.checksum_start = static_cast<uint16_t>(start);
    EXPECT_TRUE(refuses(packet.bytes(), header)) << start;
  }
  const auto bytes = extended(packet, 60);
  for (const size_t start : {size_t{40}, size_t{47}, bytes.size() - 19, bytes.size(), size_t{65535}}) {
    VnetHeader header = header_for(flow, 100, 8);
    header.checksum_start = static_cast<uint16_t>(start);
    EXPECT_TRUE(refuses(bytes, header)) << start;
  }
}

TEST_F(SegmentRefusals, ButNotExtensionHeaders) {
  for (const bool tcp : {true, false}) {
    const Flow flow{false, tcp};
    const auto bytes = extended(super(flow, 250), 60);  // destination options
    ASSERT_EQ(cut(bytes, header_for(flow, 100, 8)), Drop::kNone);
    ASSERT_EQ(out_.size(), 3u);
    for (const Packet& packet : out_) {
      const ConstBytes each = packet.bytes();
      EXPECT_EQ(load_be16(&each[4]), each.size() - 40);
      EXPECT_EQ(checksum_of(each, 48, tcp ? 6 : 17, each.subspan(24, 16)), 0);
    }
  }
}

/// The pseudo-header has the last destination, which is in the routing header (RFC 8200 8.1): only the checksum's place
/// knows of it.
TEST_F(SegmentRefusals, NorARoutingHeader) {
  const Flow flow{false, false};
  const std::array<uint8_t, 16> last = {0xfd, 1, 2, 3};
  IpPacket packet(flow, 200);
  const std::vector<uint8_t> first(packet.ip() + 24, packet.ip() + 40);
  copy_bytes(last, packet.ip() + 24);
  packet.leave_checksum();
  copy_bytes(first, packet.ip() + 24);
  ASSERT_EQ(cut(extended(packet, 43), header_for(flow, 100, 8)), Drop::kNone);
  ASSERT_EQ(out_.size(), 2u);
  for (const Packet& each : out_) EXPECT_EQ(checksum_of(each.bytes(), 48, 17, last), 0);
}

TEST_F(SegmentRefusals, NorASegmentSizeBeyondThePayload) {
  const Flow flow;
  IpPacket packet = super(flow, 10);
  EXPECT_EQ(cut(packet.bytes(), header_for(flow, 60'000)), Drop::kNone) << "one small packet needs no large buffer";
  ASSERT_EQ(out_.size(), 1u);
  EXPECT_EQ(out_[0].size(), packet.bytes().size());
}

TEST_F(SegmentRefusals, NorTheLargestSuperPacket) {
  for (const Flow& flow : kFlows) {
    const IpPacket packet = super(flow, 65535 - IpPacket(flow, 0).headers());
    ASSERT_EQ(cut(packet.bytes(), header_for(flow, 1380)), Drop::kNone);
    EXPECT_EQ(out_.size(), 48u);
  }
}

/// Zero would mean that there is none (RFC 768).
TEST_F(SegmentRefusals, NoUdpChecksumIsEverZero) {
  const Flow flow{true, false};
  int all_ones = 0;
  for (const size_t segment_size : {size_t{0}, size_t{2}}) {
    VnetHeader header = header_for(flow, segment_size);
    if (segment_size == 0) header.gso_type = 0;
    for (unsigned value = 0; value <= 0xffff; ++value) {
      IpPacket packet(flow, 2);
      store_be16(packet.payload(), static_cast<uint16_t>(value));
      packet.leave_checksum();
      ASSERT_EQ(cut(packet.bytes(), header), Drop::kNone);
      const uint16_t checksum = load_be16(out_[0].data() + 26);
      ASSERT_NE(checksum, 0);
      all_ones += checksum == 0xffff;
    }
  }
  EXPECT_GE(all_ones, 2);
}

}  // namespace
}  // namespace adit
