#include "net/fragment.h"

#include <gtest/gtest.h>

#include "net/ip.h"
#include "tests/support/fragments.h"

namespace adit {
namespace {

using test::ByteVector;
using test::Piece;

constexpr uint32_t kIdentification = 0x12345678;

class FragmentTest : public ::testing::Test {
 protected:
  Drop fragment(const ByteVector& packet, size_t mtu) {
    return adit::fragment(test::put(large_, packet), mtu, kIdentification, pool_, out_);
  }
  std::vector<ByteVector> contents() const {
    std::vector<ByteVector> contents;
    for (const Packet& each : out_) contents.push_back(test::bytes_of(each));
    return contents;
  }

  PacketPool large_{2, 65575};
  PacketPool pool_{2000, 1500};
  PacketBatch out_;
};

Piece v4() { return {.identification = 0x5678}; }
Piece v6() { return {.v4 = false, .identification = kIdentification}; }

TEST_F(FragmentTest, APacketThatFitsGoesThroughAsItIs) {
  for (const Piece& piece : {v4(), v6()}) {
    ByteVector packet = test::packet_of(piece, test::pattern(1000), false);
    packet[6] ^= piece.v4 ? 0x40 : 0;  // "don't fragment" or not
    ASSERT_EQ(fragment(packet, packet.size()), Drop::kNone);
    EXPECT_EQ(contents(), std::vector<ByteVector>{packet});
    out_.clear();
  }
}

TEST_F(FragmentTest, Ipv4FragmentsAreAsLargeAsTheMtuAllows) {
  const ByteVector payload = test::pattern(3000);
  ASSERT_EQ(fragment(test::packet_of(v4(), payload, false), 1420), Drop::kNone);
  const std::vector<ByteVector> expected = {test::cut(v4(), payload, 0, 1400), test::cut(v4(), payload, 1400, 1400),
                                            test::cut(v4(), payload, 2800, 1400)};
  EXPECT_EQ(contents(), expected);
}

TEST_F(FragmentTest, Ipv6FragmentsHaveAHeaderMore) {
  const ByteVector payload = test::pattern(3000);
  ASSERT_EQ(fragment(test::packet_of(v6(), payload, false), 1420), Drop::kNone);
  const std::vector<ByteVector> expected = {test::cut(v6(), payload, 0, 1368), test::cut(v6(), payload, 1368, 1368),
                                            test::cut(v6(), payload, 2736, 1368)};
  EXPECT_EQ(contents(), expected);
}

TEST_F(FragmentTest, EachHasTheUsualRoomAroundIt) {
  ASSERT_EQ(fragment(test::packet_of(v4(), test::pattern(6000), false), 1500), Drop::kNone);
  for (const Packet& each : out_) {
    EXPECT_EQ(each.headroom(), kHeadroom);
    EXPECT_GE(each.tailroom(), kTailroom);
  }
}

TEST_F(FragmentTest, ASlotThatIsSmallerThanTheMtuIsTheLimit) {
  ASSERT_EQ(fragment(test::packet_of(v4(), test::pattern(6000), false), 5000), Drop::kNone);
  for (const Packet& each : out_) EXPECT_LE(each.size(), pool_.largest_packet());
}

TEST_F(FragmentTest, TheLargestDatagramsThereAreCanBeCut) {
  ByteVector payload = test::pattern(65515);
  ASSERT_EQ(fragment(test::packet_of(v4(), payload, false), 1420), Drop::kNone);
  EXPECT_EQ(out_.size(), 47u);
  out_.clear();
  payload = test::pattern(65535);
  ASSERT_EQ(fragment(test::packet_of(v6(), payload, false), 1420), Drop::kNone);
  EXPECT_EQ(out_.size(), 48u);
  EXPECT_EQ(test::bytes_of(out_.back()), test::cut(v6(), payload, 47 * 1368, 1368));
}

TEST_F(FragmentTest, WithoutEnoughSlotsThereIsNone) {
  const Packet before = pool_.take();
  out_.push_back(pool_.take());
  PacketPool small(2, 1500);
  EXPECT_EQ(adit::fragment(test::put(large_, test::packet_of(v4(), test::pattern(3000), false)), 1420, 1, small, out_),
            Drop::kNoBuffer);
  EXPECT_EQ(out_.size(), 1u) << "what was there before stays";
  EXPECT_EQ(small.available(), 2u);
  EXPECT_EQ(large_.available(), large_.slots());
}

TEST_F(FragmentTest, WhatMustNotBeCutIsRefused) {
  const ByteVector good = test::packet_of(v4(), test::pattern(3000), false);
  for (const uint16_t field :
       std::vector<uint16_t>{0x4000, 0x2000, 0x0001}) {  // don't fragment, more fragments, an offset
    ByteVector packet = good;
    store_be16(&packet[6], field);
    EXPECT_EQ(fragment(packet, 1420), Drop::kTooBig) << field;
  }
  Piece with_options = v4();
  with_options.options = 4;
  EXPECT_EQ(fragment(test::packet_of(with_options, test::pattern(3000), false), 1420), Drop::kTooBig);
  for (const uint8_t extension : ByteVector{0, 43, 44, 60}) {
    Piece piece = v6();
    piece.protocol = extension;
    EXPECT_EQ(fragment(test::packet_of(piece, test::pattern(3000), false), 1420), Drop::kTooBig) << int{extension};
  }
  EXPECT_TRUE(out_.empty());
}

TEST_F(FragmentTest, AnMtuWithoutRoomForEightBytesIsRefused) {
  const ByteVector payload = test::pattern(64);
  EXPECT_EQ(fragment(test::packet_of(v4(), payload, false), 27), Drop::kTooBig);
  EXPECT_EQ(fragment(test::packet_of(v6(), payload, false), 55), Drop::kTooBig);
  EXPECT_EQ(fragment(test::packet_of(v4(), payload, false), 28), Drop::kNone);
  EXPECT_EQ(out_.size(), 8u);
  EXPECT_EQ(fragment(test::packet_of(v6(), payload, false), 56), Drop::kNone);
  EXPECT_EQ(out_.size(), 16u);
}

TEST_F(FragmentTest, AHeaderThatLiesIsRefused) {
  ByteVector packet = test::packet_of(v4(), test::pattern(3000), false);
  packet.pop_back();
  EXPECT_EQ(fragment(packet, 1420), Drop::kBadIpLength);
  packet.resize(packet.size() + 2);
  EXPECT_EQ(fragment(packet, 1420), Drop::kBadIpLength);
  EXPECT_EQ(fragment(ByteVector(3000), 1420), Drop::kBadIpLength) << "neither IPv4 nor IPv6";
}

TEST(FragmentView, SaysWhereAFragmentBelongs) {
  const ByteVector payload = test::pattern(24);
  for (Piece piece : {v4(), v6()}) {
    piece.protocol = 132;
    piece.offset = 65528 - 24;
    for (const bool more : {true, false}) {
      piece.more = more;
      ByteVector packet = test::packet_of(piece, payload);
      packet.resize(packet.size() + 15);  // padding
      const auto view = fragment_view(packet);
      ASSERT_TRUE(view);
      EXPECT_EQ(view->source, source_of(packet));
      EXPECT_EQ(view->destination, destination_of(packet));
      EXPECT_EQ(view->identification, piece.identification);
      EXPECT_EQ(view->protocol, 132);
      EXPECT_EQ(view->offset, piece.offset);
      EXPECT_EQ(view->more, more);
      EXPECT_EQ(view->header.size(), piece.v4 ? 20u : 40u);
      EXPECT_EQ(ByteVector(view->payload.begin(), view->payload.end()), payload);
    }
  }
}

TEST(FragmentView, IsEmptyForWholePackets) {
  ByteVector packet = test::packet_of(v4(), test::pattern(24), false);
  packet[6] = 0x40;
  EXPECT_FALSE(fragment_view(packet)) << "don't fragment";
  EXPECT_FALSE(fragment_view(test::packet_of(v6(), test::pattern(24), false)));
  EXPECT_TRUE(fragment_view(test::packet_of(v6(), test::pattern(24)))) << "whole, with a fragment header";
}

TEST(FragmentView, IsEmptyForWhatIsCutOff) {
  for (Piece piece : {v4(), v6()}) {
    piece.more = true;
    const ByteVector packet = test::packet_of(piece, test::pattern(24));
    for (size_t size = 0; size < packet.size(); ++size) {
      EXPECT_FALSE(fragment_view(ConstBytes(packet).first(size))) << size;
    }
  }
  ByteVector packet = test::packet_of({.more = true}, {});
  packet[0] = 0x44;
  EXPECT_FALSE(fragment_view(packet)) << "a header of 16 bytes";
  packet[0] = 0x46;
  EXPECT_FALSE(fragment_view(packet)) << "options behind the packet's end";
  packet = test::packet_of(v6(), {});
  packet.resize(47);
  store_be16(&packet[4], 7);
  EXPECT_FALSE(fragment_view(packet)) << "a fragment header of 7 bytes";
}

}  // namespace
}  // namespace adit
