// Random stories of fragments, against the plain model and against what was cut.
#include "tests/support/reassembly_model.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/support/reassembly_lab.h"

namespace adit {
namespace {

using test::ByteVector;
using test::Piece;

class Story {
 public:
  Story(uint32_t seed, const Reassembler::Limits& limits) : random_(seed), reassembler_(limits), model_(limits) {}

  size_t up_to(size_t largest) { return std::uniform_int_distribution<size_t>(0, largest)(random_); }
  bool one_in(size_t count) { return up_to(count - 1) == 0; }

  /// Many are small, some as large as there may be.
  ByteVector payload(const Piece& piece, uint32_t seed) {
    const size_t largest = piece.v4 ? 65515 - piece.options : 65535;
    return test::pattern(60 + up_to(one_in(4) ? largest - 60 : 4000), seed);
  }
  Piece piece() {
    const bool v4 = one_in(2);
    return {.v4 = v4,
            .host = static_cast<uint8_t>(1 + up_to(2)),
            .identification = next_++,
            .protocol = one_in(4) ? uint8_t{6} : uint8_t{17},
            .tos = static_cast<uint8_t>(one_in(4) ? up_to(255) : 0),
            .options = v4 && one_in(8) ? 4 * up_to(10) : 0};
  }
  /// Fragments of any sizes, no more than some hundred.
  std::vector<ByteVector> cut(const Piece& piece, const ByteVector& payload) {
    std::vector<ByteVector> fragments;
    const size_t usual = 8 * (1 + payload.size() / 800 + up_to(200));
    for (size_t at = 0; at < payload.size();) {
      const size_t size = at == 0 ? std::max<size_t>(48, usual) : one_in(10) ? 8 * (1 + up_to(200)) : usual;
      fragments.push_back(test::cut(piece, payload, at, size));
      at += size;
    }
    return fragments;
  }
  void shuffle(std::vector<ByteVector>& fragments) { std::ranges::shuffle(fragments, random_); }

  /// The Reassembler does what the model does.
  Taken take(const ByteVector& fragment) {
    Packet packet = test::put(pool_, fragment);
    const Taken taken = reassembler_.take(packet, now_, drops_);
    EXPECT_EQ(taken, model_.take(fragment, now_));
    got = taken == Taken::kWhole ? test::bytes_of(packet) : ByteVector();
    if (taken == Taken::kWhole) {
      EXPECT_EQ(got, model_.whole);
    }
    check();
    return taken;
  }
  void pass(Duration duration) {
    now_ += duration;
    reassembler_.expire(now_, drops_);
    model_.expire(now_);
    check();
  }

  ByteVector got;  // the last whole datagram, empty when there was none

 private:
  void check() {
    EXPECT_EQ(reassembler_.under_way(), model_.under_way());
    EXPECT_EQ(reassembler_.next_deadline(), model_.next_deadline());
    for (size_t i = 0; i < kDropCount; ++i) {
      const auto reason = static_cast<Drop>(i);
      EXPECT_EQ(drops_[reason], model_.drops[reason]) << drop_name(reason);
    }
  }

  std::mt19937 random_;
  uint32_t next_ = 1;
  PacketPool pool_{2, 66000};
  Reassembler reassembler_;
  test::ReassemblyModel model_;
  DropCounters drops_;
  Time now_{seconds(5)};
};

TEST(ReassemblyModel, FragmentsThatCrossAndRepeatAndGetLostGiveWhatWasCutOrNothing) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Story story(seed, {.datagrams = 64, .per_source = 64, .whole = 1});
    std::vector<ByteVector> fragments;
    std::vector<ByteVector> originals;
    size_t lost = 0;
    for (uint32_t i = 0; i < 12; ++i) {
      Piece piece = story.piece();
      piece.tos &= 0xfc;
      const ByteVector payload = story.payload(piece, i);
      originals.push_back(test::packet_of(piece, payload, false));
      std::vector<ByteVector> its = story.cut(piece, payload);
      if (its.size() == 1) its.clear();  // IPv4 would be none, IPv6 atomic
      if (its.empty() || story.one_in(3)) ++lost;
      if (!its.empty() && lost > originals.size() - 1) its.pop_back();
      fragments.insert(fragments.end(), its.begin(), its.end());
    }
    const size_t once = fragments.size();
    for (size_t i = 0; i < once; ++i) {
      if (story.one_in(10)) fragments.push_back(fragments[i]);
    }
    story.shuffle(fragments);
    for (const ByteVector& fragment : fragments) {
      if (story.take(fragment) != Taken::kWhole) continue;
      ASSERT_NE(std::ranges::find(originals, story.got), originals.end()) << "seed " << seed;
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
  }
}

/// Overlaps, lies about the end, foreign bytes, broken headers, too many at once, time.
TEST(ReassemblyModel, HoldsForFragmentsOfAnyKind) {
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Story story(seed, {.datagrams = 5, .per_source = 3, .whole = 1});
    std::vector<ByteVector> fragments;
    for (uint32_t i = 0; i < 12; ++i) {
      const Piece piece = story.piece();
      const ByteVector payload = story.payload(piece, i);
      std::vector<ByteVector> its = story.cut(piece, payload);
      for (int evil = story.one_in(2) ? 1 : 0; evil > 0; --evil) {
        Piece lie = piece;
        lie.offset = 8 * story.up_to(payload.size() / 8);
        lie.more = !story.one_in(3);
        if (lie.offset == 0 && !lie.more) continue;
        its.push_back(test::packet_of(lie, test::pattern(story.one_in(5) ? story.up_to(50) : 8 * story.up_to(50), i)));
      }
      if (story.one_in(4)) its.back()[story.up_to(its.back().size() - 1)] ^= static_cast<uint8_t>(story.up_to(255));
      story.shuffle(its);
      fragments.insert(fragments.end(), its.begin(), its.end());
      if (story.one_in(3)) story.shuffle(fragments);
    }
    for (const ByteVector& fragment : fragments) {
      story.take(fragment);
      if (story.one_in(8)) story.pass(milliseconds(story.up_to(3000)));
    }
    ASSERT_FALSE(::testing::Test::HasFailure()) << "seed " << seed;
    story.pass(seconds(20));
  }
}

TEST(ReassemblyModel, WhatFragmentCutsIsPutTogetherAgain) {
  std::mt19937 random(1);
  const auto up_to = [&](size_t largest) { return std::uniform_int_distribution<size_t>(0, largest)(random); };
  PacketPool large(1, 65575);
  PacketPool pool(3000, 9000);
  Reassembler reassembler({});
  DropCounters drops;
  for (uint32_t round = 0; round < 400; ++round) {
    const Piece piece{.v4 = round % 2 == 0, .identification = round};
    const size_t mtu = 68 + up_to(round % 3 == 0 ? 300 : 9000 - 68);
    const size_t largest = piece.v4 ? 65515 : 65535;
    const ByteVector payload = test::pattern(round < 4 ? largest : up_to(largest), round);
    const ByteVector original = test::packet_of(piece, payload, false);
    PacketBatch fragments;
    if (mtu < 100 && payload.size() > 20000) continue;
    ASSERT_EQ(fragment(test::put(large, original), mtu, round, pool, fragments), Drop::kNone);
    ASSERT_EQ(fragments.size() == 1, original.size() <= mtu);
    std::ranges::shuffle(fragments, random);
    for (Packet& packet : fragments) {
      ASSERT_LE(packet.size(), mtu);
      const Taken taken = reassembler.take(packet, Time{}, drops);
      const bool is_last = &packet == &fragments.back();
      ASSERT_EQ(taken, !is_last ? Taken::kKept : fragments.size() == 1 ? Taken::kNotAFragment : Taken::kWhole);
    }
    ASSERT_EQ(test::bytes_of(fragments.back()), original) << mtu;
  }
  EXPECT_EQ(drops.total(), 0u);
}

}  // namespace
}  // namespace adit
