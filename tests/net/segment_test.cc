#include "net/segment.h"

#include <gtest/gtest.h>

#include "tests/support/ip_packets.h"

namespace adit {
namespace {

using test::Flow;
using test::IpPacket;

constexpr size_t kLargest = 1500;

class Segment : public testing::Test {
 protected:
  static VnetHeader header_for(const Flow& flow, const IpPacket& packet, size_t segment_size) {
    const auto kind = !flow.tcp ? VnetHeader::Gso::kUdp : flow.v4 ? VnetHeader::Gso::kTcp4 : VnetHeader::Gso::kTcp6;
    return {VnetHeader::kNeedsChecksum,
            static_cast<uint8_t>(kind),
            static_cast<uint16_t>(packet.headers()),
            static_cast<uint16_t>(segment_size),
            static_cast<uint16_t>(packet.ip_header()),
            static_cast<uint16_t>(flow.tcp ? 16 : 6)};
  }
  Drop cut(const IpPacket& packet, const VnetHeader& header) { return segment(packet.bytes(), header, pool_, out_); }
  std::vector<uint8_t> got(size_t i) const { return {out_[i].bytes().begin(), out_[i].bytes().end()}; }

  PacketPool pool_{128, kLargest};
  PacketBatch out_;
};

const Flow kFlows[] = {{true, true}, {false, true}, {true, false}, {false, false}};

TEST_F(Segment, APacketThatIsNoneIsCopied) {
  const IpPacket packet({}, 300);
  EXPECT_EQ(cut(packet, {}), Drop::kNone);
  ASSERT_EQ(out_.size(), 1u);
  EXPECT_EQ(got(0), packet.bytes());
}

TEST_F(Segment, AnUnfinishedChecksumIsCompleted) {
  for (const Flow& flow : kFlows) {
    const IpPacket whole(flow, 301);
    IpPacket unfinished = whole;
    unfinished.leave_checksum();
    VnetHeader header = header_for(flow, whole, 0);
    header.gso_type = 0;
    out_.clear();
    EXPECT_EQ(cut(unfinished, header), Drop::kNone);
    EXPECT_EQ(got(0), whole.bytes());
  }
}

/// What the network would have seen had the sender cut it: written here a second time, simply.
std::vector<IpPacket> expected_segments(const Flow& flow, const IpPacket& super, size_t segment_size) {
  std::vector<IpPacket> segments;
  const size_t headers = super.headers();
  const size_t payload = super.bytes().size() - headers;
  for (size_t at = 0; at < payload; at += segment_size) {
    const size_t size = std::min(segment_size, payload - at);
    IpPacket each = super;
    each.bytes().resize(headers + size);
    std::copy_n(super.bytes().begin() + static_cast<ptrdiff_t>(headers + at), size, each.payload());
    if (flow.v4) store_be16(each.ip() + 4, static_cast<uint16_t>(load_be16(each.ip() + 4) + at / segment_size));
    if (flow.tcp) {
      store_be32(each.upper() + 4, load_be32(each.upper() + 4) + static_cast<uint32_t>(at));
      if (at + size < payload) each.upper()[13] &= 0xf6;  // neither FIN nor PSH
      if (at > 0) each.upper()[13] &= 0x7f;               // nor CWR
    }
    segments.push_back(each.sign());
  }
  return segments;
}

TEST_F(Segment, ASuperPacketBecomesThePacketsItStandsFor) {
  for (const Flow& flow : kFlows) {
    for (const size_t payload : {1u, 999u, 1000u, 1001u, 2000u, 45'000u, 64'000u}) {
      IpPacket super(flow, payload);
      if (flow.v4) super.identification(0xfffe, true);       // wraps
      if (flow.tcp) super.flags(0x99).sequence(0xfffff000);  // CWR, ACK, PSH, FIN; wraps
      const auto expected = expected_segments(flow, super, 1000);
      VnetHeader header = header_for(flow, super, 1000);
      if (flow.tcp) header.gso_type |= VnetHeader::kEcn;
      out_.clear();
      ASSERT_EQ(cut(super.leave_checksum(), header), Drop::kNone);
      ASSERT_EQ(out_.size(), expected.size());
      for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(got(i), expected[i].bytes()) << payload << ": " << i;
    }
  }
}

TEST_F(Segment, TheHeadersSizeIsReadFromThePacket) {
  const Flow flow;
  IpPacket super(flow, 3000);
  const auto expected = expected_segments(flow, super, 1000);
  for (const uint16_t lie : std::initializer_list<uint16_t>{0, 1, 20, 53, 1500, 65535}) {
    VnetHeader header = header_for(flow, super, 1000);
    header.header_size = lie;
    out_.clear();
    ASSERT_EQ(cut(super.leave_checksum(), header), Drop::kNone) << lie;
    EXPECT_EQ(got(2), expected[2].bytes());
  }
}

TEST_F(Segment, WhatDoesNotFitThePacketIsRefused) {
  const Flow flow;
  IpPacket super(flow, 3000);
  super.leave_checksum();
  const VnetHeader good = header_for(flow, super, 1000);
  const auto refused = [&](auto change) {
    VnetHeader header = good;
    change(header);
    return cut(super, header) == Drop::kBadOffload && out_.empty();
  };
  EXPECT_TRUE(refused([](VnetHeader& h) { h.flags = 0; }));
  EXPECT_TRUE(refused([](VnetHeader& h) { h.segment_size = 0; }));
  for (const uint16_t start : std::initializer_list<uint16_t>{0, 19, 21, 24, 40, 3000, 3052, 65535}) {
    EXPECT_TRUE(refused([&](VnetHeader& h) { h.checksum_start = start; })) << start;
  }
  for (const uint16_t offset : std::initializer_list<uint16_t>{0, 6, 15, 18, 65535}) {
    EXPECT_TRUE(refused([&](VnetHeader& h) { h.checksum_offset = offset; })) << offset;
  }
  for (const int kind : {2, 3, 4, 5, 6, 0x80, 0xff}) {  // unknown ones, UFO, the other IP version, UDP
    EXPECT_TRUE(refused([&](VnetHeader& h) { h.gso_type = static_cast<uint8_t>(kind); })) << kind;
  }
}

TEST_F(Segment, AHeaderThatIsNotAllThereIsRefused) {
  for (const Flow& flow : kFlows) {
    IpPacket super(flow, 100);
    const VnetHeader header = header_for(flow, super, 50);
    for (size_t size = 0; size <= super.headers(); ++size) {
      EXPECT_EQ(segment(ConstBytes(super.bytes()).first(size), header, pool_, out_), Drop::kBadOffload) << size;
    }
    super.upper()[12] = 0x40;  // TCP: sixteen bytes of header
    if (flow.tcp) {
      EXPECT_EQ(cut(super, header), Drop::kBadOffload);
    }
    EXPECT_TRUE(out_.empty());
  }
}

TEST_F(Segment, AChecksumOutsideThePacketIsRefused) {
  const IpPacket packet({}, 100);
  VnetHeader header{VnetHeader::kNeedsChecksum};
  header.checksum_start = 20;
  header.checksum_offset = 65535;
  EXPECT_EQ(cut(packet, header), Drop::kBadOffload);
  header.checksum_start = 65535;
  EXPECT_EQ(cut(packet, header), Drop::kBadOffload);
  EXPECT_EQ(pool_.available(), pool_.slots());
}

TEST_F(Segment, WhatIsTooLargeForAPacketIsNamed) {
  IpPacket super({}, 3000);
  EXPECT_EQ(cut(super, {}), Drop::kTruncatedRead);
  EXPECT_EQ(cut(super.leave_checksum(), header_for({}, super, pool_.largest_packet() - super.headers() + 1)),
            Drop::kTruncatedRead);
  EXPECT_EQ(cut(super, header_for({}, super, pool_.largest_packet() - super.headers())), Drop::kNone);
}

TEST_F(Segment, AnEmptyPoolIsNamedAndWhatThereIsStays) {
  PacketPool small(2, kLargest);
  IpPacket super({}, 3000);
  EXPECT_EQ(segment(super.leave_checksum().bytes(), header_for({}, super, 1000), small, out_), Drop::kNoBuffer);
  EXPECT_EQ(out_.size(), 2u);
  out_.clear();
}

}  // namespace
}  // namespace adit
