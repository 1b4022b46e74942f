// Time and places.
#include <gtest/gtest.h>

#include "tests/support/reassembly_lab.h"

namespace adit {
namespace {

using test::ByteVector;
using test::pattern;
using test::Piece;

class ReassemblyLimits : public test::ReassemblyLab {
 protected:
  ReassemblyLimits() : ReassemblyLab({.datagrams = 6, .per_source = 3, .whole = 2}) {}

  Taken begin(const Piece& piece) { return take(test::cut(piece, payload_, 0, 1000)); }
  Taken finish(const Piece& piece) { return take(test::cut(piece, payload_, 1000, 1000)); }

  ByteVector payload_ = pattern(2000);
};

TEST_F(ReassemblyLimits, ADatagramHasFifteenSecondsFromItsFirstFragmentOn) {
  EXPECT_EQ(reassembler_.next_deadline(), kNever);
  const Time began = now_;
  begin({.identification = 1});
  now_ += seconds(10);
  begin({.identification = 2});
  EXPECT_EQ(reassembler_.next_deadline(), began + seconds(15));
  now_ = began + seconds(15) - nanoseconds(1);
  reassembler_.expire(now_, drops_);
  EXPECT_EQ(reassembler_.under_way(), 2u);
  now_ += nanoseconds(1);
  reassembler_.expire(now_, drops_);
  EXPECT_EQ(reassembler_.under_way(), 1u);
  EXPECT_EQ(drops_[Drop::kFragmentTimeout], 1u);
  EXPECT_EQ(reassembler_.next_deadline(), began + seconds(25));
  EXPECT_EQ(finish({.identification = 2}), Taken::kWhole);
  EXPECT_EQ(reassembler_.next_deadline(), kNever);
}

TEST_F(ReassemblyLimits, LaterFragmentsDoNotProlongIt) {
  const Time began = now_;
  begin({});
  now_ += seconds(14);
  take(test::packet_of({.offset = 1000, .more = true}, pattern(8)));
  EXPECT_EQ(reassembler_.next_deadline(), began + seconds(15));
  reassembler_.expire(began + seconds(15), drops_);
  EXPECT_EQ(drops_[Drop::kFragmentTimeout], 2u) << "both are counted";
}

TEST_F(ReassemblyLimits, AFragmentThatComesTooLateIsNotTheOldOnes) {
  begin({});
  now_ += seconds(15);  // and nobody has asked
  EXPECT_EQ(finish({}), Taken::kKept);
  EXPECT_EQ(drops_[Drop::kFragmentTimeout], 1u);
  EXPECT_EQ(reassembler_.under_way(), 1u);
}

TEST_F(ReassemblyLimits, AnAbandonedDatagramIsForgottenInTime) {
  begin({});
  take(test::packet_of({.offset = 8, .more = true}, pattern(8)));
  EXPECT_EQ(finish({}), Taken::kDropped);
  EXPECT_EQ(drops_[Drop::kFragmentOverlap], 3u);
  now_ += seconds(15);
  EXPECT_EQ(begin({}), Taken::kKept);
  EXPECT_EQ(finish({}), Taken::kWhole);
  EXPECT_EQ(drops_.total(), 3u) << "its fragments were counted once";
}

TEST_F(ReassemblyLimits, TheOldestGoesWhenAllPlacesAreTaken) {
  for (uint8_t host = 1; host <= 6; ++host) begin({.host = host});
  EXPECT_EQ(drops_.total(), 0u);
  EXPECT_EQ(begin({.host = 7}), Taken::kKept);
  EXPECT_EQ(drops_[Drop::kFragmentsFull], 1u);
  EXPECT_EQ(reassembler_.under_way(), 6u);
  for (uint8_t host = 2; host <= 7; ++host) EXPECT_EQ(finish({.host = host}), Taken::kWhole) << int{host};
  EXPECT_EQ(finish({.host = 1}), Taken::kKept) << "it has lost its first";
}

TEST_F(ReassemblyLimits, OneSourceCannotPushOutTheOthers) {
  for (const bool v4 : {true, false}) {
    begin({.v4 = v4, .host = 1});
    begin({.v4 = v4, .host = 2});
    for (uint32_t i = 0; i < 100; ++i) begin({.v4 = v4, .host = 3, .identification = i});
    EXPECT_EQ(reassembler_.under_way(), 5u);
    EXPECT_EQ(drops_[Drop::kFragmentsFull], 97u);
    for (const uint32_t last : {97u, 98u, 99u}) {
      EXPECT_EQ(finish({.v4 = v4, .host = 3, .identification = last}), Taken::kWhole);
    }
    EXPECT_EQ(finish({.v4 = v4, .host = 1}), Taken::kWhole);
    EXPECT_EQ(finish({.v4 = v4, .host = 2}), Taken::kWhole);
    drops_ = {};
  }
}

TEST_F(ReassemblyLimits, AbandonedDatagramsCountAsTheirSources) {
  for (uint32_t i = 0; i < 3; ++i) {
    begin({.identification = i});
    take(test::packet_of({.identification = i, .offset = 8, .more = true}, pattern(8)));
  }
  EXPECT_EQ(reassembler_.under_way(), 3u);
  begin({.identification = 3});
  EXPECT_EQ(reassembler_.under_way(), 3u);
  EXPECT_EQ(drops_[Drop::kFragmentsFull], 0u) << "nothing of it was left to drop";
}

TEST_F(ReassemblyLimits, WithoutMemoryFragmentsAreDroppedUntilThereIsSome) {
  PacketBatch given;
  for (uint32_t i = 0; i < 8; ++i) {
    begin({.identification = i});
    ASSERT_EQ(finish({.identification = i}), Taken::kWhole);
    given.push_back(std::move(packet_));
  }
  EXPECT_EQ(begin({}), Taken::kDropped);
  EXPECT_EQ(drops_[Drop::kNoBuffer], 1u);
  EXPECT_EQ(reassembler_.under_way(), 0u);
  given.pop_back();
  EXPECT_EQ(begin({}), Taken::kKept);
  EXPECT_EQ(finish({}), Taken::kWhole);
}

}  // namespace
}  // namespace adit
