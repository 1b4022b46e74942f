#include "net/reassembly.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "net/ip.h"
#include "tests/support/reassembly_lab.h"

namespace adit {
namespace {

using test::ByteVector;
using test::pattern;
using test::Piece;

using ReassemblyTest = test::ReassemblyLab;

const std::vector<Piece> kVersions = {{}, {.v4 = false}};

TEST_F(ReassemblyTest, FragmentsInAnyOrderBecomeTheDatagram) {
  const ByteVector payload = pattern(2000);
  for (Piece piece : kVersions) {
    std::vector<size_t> order = {0, 504, 1008, 1512};
    do {
      ++piece.identification;
      for (size_t i = 0; i < 4; ++i) {
        ASSERT_EQ(take(test::cut(piece, payload, order[i], 504)), i < 3 ? Taken::kKept : Taken::kWhole);
      }
      EXPECT_EQ(bytes(), test::packet_of(piece, payload, false));
      EXPECT_EQ(reassembler_.under_way(), 0u);
    } while (std::ranges::next_permutation(order).found);
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(ReassemblyTest, TheWholeHasRoomAroundItAndItsSlotComesBack) {
  const ByteVector payload = pattern(2000);
  for (int round = 0; round < 1000; ++round) {
    take(test::cut({}, payload, 0, 1000));
    ASSERT_EQ(take(test::cut({}, payload, 1000, 1000)), Taken::kWhole);
    ASSERT_GE(packet_.headroom(), kHeadroom);
    ASSERT_GE(packet_.tailroom(), kTailroom);
  }
}

TEST_F(ReassemblyTest, WhatIsNoFragmentIsNotTouched) {
  for (const Piece& piece : kVersions) {
    const ByteVector packet = test::packet_of(piece, pattern(100), false);
    EXPECT_EQ(take(packet), Taken::kNotAFragment);
    EXPECT_EQ(bytes(), packet);
  }
  EXPECT_EQ(take(ByteVector(100)), Taken::kNotAFragment);
  EXPECT_EQ(take({}), Taken::kNotAFragment);
}

TEST_F(ReassemblyTest, AnAtomicFragmentPassesAloneWhateverElseHasItsIdentification) {
  const Piece piece{.v4 = false};
  const ByteVector payload = pattern(2000);
  take(test::cut(piece, payload, 0, 1000));
  const ByteVector other = pattern(48, 9);
  ByteVector atomic = test::packet_of(piece, other);
  atomic.resize(atomic.size() + 5);  // padding
  EXPECT_EQ(take(atomic), Taken::kWhole);
  EXPECT_EQ(bytes(), test::packet_of(piece, other, false));
  EXPECT_EQ(take(test::cut(piece, payload, 1000, 1000)), Taken::kWhole);
  EXPECT_EQ(bytes(), test::packet_of(piece, payload, false));
}

TEST_F(ReassemblyTest, TheLargestDatagramsArePutTogether) {
  for (const auto& [piece, size] : {std::pair{Piece{}, size_t{65515}}, std::pair{Piece{.v4 = false}, size_t{65535}}}) {
    const ByteVector payload = pattern(size);
    for (size_t offset = 0; offset < size; offset += 1368) take(test::cut(piece, payload, offset, 1368));
    ASSERT_TRUE(packet_);
    EXPECT_EQ(bytes(), test::packet_of(piece, payload, false));
  }
}

TEST_F(ReassemblyTest, EveryFragmentButTheFirstMayBeTiny) {
  const ByteVector payload = pattern(65515);
  EXPECT_EQ(take(test::cut({}, payload, 0, 48)), Taken::kKept);
  size_t taken = 0;
  for (size_t offset = 48; offset < payload.size(); offset += 8) {
    taken += take(test::cut({}, payload, offset, 8)) != Taken::kDropped;
  }
  EXPECT_EQ(taken, 8184u);
  EXPECT_EQ(bytes(), test::packet_of({}, payload, false));
}

TEST_F(ReassemblyTest, TheHeaderIsTheFirstFragmentsWithItsOptions) {
  const ByteVector payload = pattern(2000);
  take(test::cut({.tos = 0x88}, payload, 1000, 1000));
  Piece first{.tos = 0x40, .options = 40};
  ASSERT_EQ(take(test::cut(first, payload, 0, 1000)), Taken::kWhole);
  EXPECT_EQ(bytes(), test::packet_of(first, payload, false));
}

TEST_F(ReassemblyTest, DatagramsAreToldApartByAddressIdentificationAndProtocol) {
  const ByteVector payload = pattern(2000);
  const std::vector<Piece> others = {{}, {.host = 2}, {.identification = 8}, {.protocol = 6}};
  for (const Piece& piece : others) EXPECT_EQ(take(test::cut(piece, payload, 0, 1000)), Taken::kKept);
  EXPECT_EQ(reassembler_.under_way(), 4u);
  ByteVector other_destination = test::cut({}, payload, 1000, 1000);
  other_destination[19] ^= 1;
  test::sign_ipv4(other_destination);
  EXPECT_EQ(take(other_destination), Taken::kKept);
  EXPECT_EQ(reassembler_.under_way(), 5u);
}

TEST_F(ReassemblyTest, OfIpv6TheFirstFragmentsProtocolCounts) {
  const ByteVector payload = pattern(2000);
  take(test::cut({.v4 = false, .protocol = 59}, payload, 1000, 1000));
  ASSERT_EQ(take(test::cut({.v4 = false, .protocol = 17}, payload, 0, 1000)), Taken::kWhole);
  EXPECT_EQ(bytes(), test::packet_of({.v4 = false, .protocol = 17}, payload, false));
}

TEST_F(ReassemblyTest, AnExactDuplicateChangesNothing) {
  const ByteVector payload = pattern(2999);
  for (const Piece& piece : kVersions) {
    for (const size_t offset : {2000u, 1000u, 0u}) {
      const ByteVector fragment = test::cut(piece, payload, offset, 1000);
      const Taken taken = take(fragment);
      if (offset == 0) {
        ASSERT_EQ(taken, Taken::kWhole);
        EXPECT_EQ(bytes(), test::packet_of(piece, payload, false));
        break;
      }
      ASSERT_EQ(taken, Taken::kKept);
      EXPECT_EQ(take(fragment), Taken::kDropped);
    }
  }
  EXPECT_EQ(drops_[Drop::kFragmentOverlap], 4u);
  EXPECT_EQ(drops_.total(), 4u);
}

TEST_F(ReassemblyTest, OverlapsAbandonTheDatagramAndWhatElseComesOfIt) {
  const ByteVector payload = pattern(3000);
  const ByteVector other = pattern(3000, 1);
  for (Piece piece : kVersions) {
    for (const auto& [offset, size] : {std::pair{992, 16},
                                       {1000, 504},
                                       {1504, 496},
                                       {1000, 1008},
                                       {1992, 16},
                                       {1992, 8},
                                       {800, 1400},
                                       {0, 1008},
                                       {1000, 2000},
                                       {0, 2992}}) {
      ++piece.identification;
      const uint64_t before = drops_[Drop::kFragmentOverlap];
      take(test::cut(piece, payload, 2000, 1000));
      ASSERT_EQ(take(test::cut(piece, payload, 1000, 1000)), Taken::kKept);
      ASSERT_EQ(take(test::cut(piece, payload, static_cast<size_t>(offset), static_cast<size_t>(size))),
                Taken::kDropped)
          << offset << " " << size;
      EXPECT_EQ(drops_[Drop::kFragmentOverlap] - before, 3u) << "with those that were kept";
      EXPECT_EQ(take(test::cut(piece, payload, 0, 1000)), Taken::kDropped);
      EXPECT_EQ(take(test::cut(piece, payload, 1000, 1000)), Taken::kDropped);
      EXPECT_EQ(take(test::cut(piece, payload, 2000, 1000)), Taken::kDropped);
      EXPECT_EQ(drops_[Drop::kFragmentOverlap] - before, 6u);
    }
  }
  EXPECT_EQ(drops_.total(), drops_[Drop::kFragmentOverlap]);
}

TEST_F(ReassemblyTest, ADuplicateWithOtherContentIsAnOverlap) {
  for (Piece piece : kVersions) {
    take(test::cut(piece, pattern(3000), 1000, 1000));
    EXPECT_EQ(take(test::cut(piece, pattern(3000, 1), 1000, 1000)), Taken::kDropped);
    EXPECT_EQ(drops_[Drop::kFragmentOverlap], 2u);
    drops_ = {};
  }
}

TEST_F(ReassemblyTest, ADuplicateThatSaysItIsTheLastIsAnOverlap) {
  const ByteVector payload = pattern(3000);
  take(test::cut({}, payload, 1000, 1000));
  EXPECT_EQ(take(test::packet_of({.offset = 1000}, test::part_of(payload, 1000, 1000))), Taken::kDropped);
  EXPECT_EQ(drops_[Drop::kFragmentOverlap], 2u);
}

TEST_F(ReassemblyTest, FragmentsThatDisagreeAboutTheEndAbandonTheDatagram) {
  const ByteVector payload = pattern(3000);
  const auto last = [&](const Piece& piece, size_t offset, size_t end) {
    Piece at_end = piece;
    at_end.offset = offset;
    return test::packet_of(at_end, test::part_of(payload, offset, end - offset));
  };
  for (Piece piece : kVersions) {
    const std::vector<std::pair<ByteVector, ByteVector>> quarrels = {
        {last(piece, 1000, 1500), last(piece, 2000, 2500)},
        {last(piece, 2000, 2500), last(piece, 1000, 1500)},
        {last(piece, 1000, 1500), test::cut(piece, payload, 2000, 504)},
        {test::cut(piece, payload, 2000, 504), last(piece, 1000, 1500)},
        {last(piece, 1000, 1001), last(piece, 1000, 1002)},
        {last(piece, 1000, 1504), test::cut(piece, payload, 1504, 8)},
    };
    for (const auto& [one, other] : quarrels) {
      drops_ = {};
      EXPECT_EQ(take(one), Taken::kKept);
      EXPECT_EQ(take(other), Taken::kDropped);
      EXPECT_EQ(drops_[Drop::kBadFragment], 2u);
      EXPECT_EQ(take(one), Taken::kDropped);
      EXPECT_EQ(drops_[Drop::kFragmentOverlap], 1u);
      reassembler_.expire(now_ += Reassembler::kTimeout, drops_);
    }
  }
}

TEST_F(ReassemblyTest, AFirstFragmentSmallerThanAnyLinkMakesIsRefused) {
  const ByteVector payload = pattern(3000);
  for (const auto& [piece, least] :
       {std::pair{Piece{}, 48u}, std::pair{Piece{.options = 40}, 8u}, std::pair{Piece{.v4 = false}, 16u}}) {
    if (least > 8) {
      EXPECT_EQ(take(test::cut(piece, payload, 0, least - 8)), Taken::kDropped);
    }
    EXPECT_EQ(drops_[Drop::kTinyFragment], least > 8 ? 1u : 0u);
    EXPECT_EQ(take(test::cut(piece, payload, 0, least)), Taken::kKept);
    reassembler_.expire(now_ += Reassembler::kTimeout, drops_);
    drops_ = {};
  }
}

TEST_F(ReassemblyTest, FragmentsOfImpossibleLengthsAreRefusedAlone) {
  const ByteVector payload = pattern(3000);
  for (const Piece& piece : kVersions) {
    take(test::cut(piece, payload, 0, 1000));
    EXPECT_EQ(take(test::cut(piece, payload, 1000, 0)), Taken::kDropped);
    EXPECT_EQ(take(test::cut(piece, payload, 3000, 0)), Taken::kDropped);
    EXPECT_EQ(drops_[Drop::kTinyFragment], 2u);
    EXPECT_EQ(take(test::cut(piece, payload, 1000, 1001)), Taken::kDropped);
    EXPECT_EQ(take(test::cut(piece, payload, 1000, 1004)), Taken::kDropped);
    EXPECT_EQ(drops_[Drop::kBadFragment], 2u);
    EXPECT_EQ(take(test::cut(piece, payload, 1000, 2000)), Taken::kWhole);
    drops_ = {};
  }
}

TEST_F(ReassemblyTest, NothingReachesBeyondWhatALengthCanSay) {
  const auto at_end = [this](Piece piece, size_t end) {
    piece.offset = 65512 - 80;
    return take(test::packet_of(piece, pattern(end - piece.offset)));
  };
  EXPECT_EQ(at_end({.identification = 1}, 65515), Taken::kKept);
  EXPECT_EQ(at_end({.identification = 2}, 65516), Taken::kDropped);
  EXPECT_EQ(at_end({.identification = 3, .options = 4}, 65511), Taken::kKept);
  EXPECT_EQ(at_end({.identification = 4, .options = 4}, 65512), Taken::kDropped);
  EXPECT_EQ(at_end({.v4 = false, .identification = 1}, 65535), Taken::kKept);
  EXPECT_EQ(at_end({.v4 = false, .identification = 2}, 65536), Taken::kDropped);
  EXPECT_EQ(drops_[Drop::kBadFragment], 3u);
  EXPECT_EQ(reassembler_.under_way(), 3u);
}

TEST_F(ReassemblyTest, OptionsOfTheFirstFragmentCountForTheLength) {
  const ByteVector payload = pattern(65515);
  EXPECT_EQ(take(test::cut({}, payload, 32000, 33515)), Taken::kKept);
  EXPECT_EQ(take(test::cut({.options = 4}, payload, 0, 32000)), Taken::kDropped);
  EXPECT_EQ(drops_[Drop::kBadFragment], 2u);
}

TEST_F(ReassemblyTest, AWrongHeaderChecksumIsNotMadeRight) {
  const ByteVector payload = pattern(2000);
  ByteVector first = test::cut({}, payload, 0, 1000);
  first[8] ^= 1;
  EXPECT_EQ(take(first), Taken::kDropped);
  EXPECT_EQ(drops_[Drop::kBadChecksum], 1u);
  EXPECT_EQ(reassembler_.under_way(), 0u);
}

TEST_F(ReassemblyTest, CongestionMarksAreJoinedAsRfc3168Says) {
  constexpr uint8_t kDropped = 0xff;
  const ByteVector payload = pattern(2000);
  // Rows: the first fragment's bits, columns: the second's.
  constexpr uint8_t kTable[4][4] = {{0, 0, 0, kDropped}, {1, 1, 1, 3}, {2, 2, 2, 3}, {kDropped, 3, 3, 3}};
  for (Piece piece : kVersions) {
    for (uint8_t first = 0; first < 4; ++first) {
      for (uint8_t second = 0; second < 4; ++second) {
        ++piece.identification;
        piece.tos = static_cast<uint8_t>(0x88 | second);
        take(test::cut(piece, payload, 1000, 1000));
        piece.tos = static_cast<uint8_t>(0x88 | first);
        const uint8_t expected = kTable[first][second];
        drops_ = {};
        ASSERT_EQ(take(test::cut(piece, payload, 0, 1000)), expected == kDropped ? Taken::kDropped : Taken::kWhole);
        EXPECT_EQ(drops_[Drop::kBadEcn], expected == kDropped ? 2u : 0u);
        if (expected == kDropped) continue;
        piece.tos = static_cast<uint8_t>(0x88 | expected);
        EXPECT_EQ(bytes(), test::packet_of(piece, payload, false));
      }
    }
  }
}

}  // namespace
}  // namespace adit
