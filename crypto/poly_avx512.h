// Poly1305 (RFC 8439) of eight messages at a time, one in each 64-bit lane.  Only aead_avx512.cc includes this.
//
// Numbers are three limbs of 44, 44 and 42 bits, which leaves room for the 52-bit multiply-adds of IFMA: those give the
// low and the high 52 bits of a product apart, and the high ones, of weight 2^52, go to the next limb shifted by 8.
// 2^130 is 5 (modulo 2^130 - 5), so what reaches weight 2^132 comes back to the lowest limb 20 times.
//
// The steps are those of poly_steps.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "crypto/poly_steps.h"

namespace adit::crypto {
namespace {

inline constexpr size_t kPolyLanes = 8;
inline constexpr uint64_t kTopBit = uint64_t{1} << 40;  // in the highest limb: 2^128, above a block's bytes

inline __m512i every(uint64_t value) { return _mm512_set1_epi64(static_cast<int64_t>(value)); }
inline __m512i mask44() { return every((uint64_t{1} << 44) - 1); }
inline __m512i mask42() { return every((uint64_t{1} << 42) - 1); }

struct Limbs {
  __m512i at[3];
};

struct Multiplier {
  Limbs r;
  __m512i wrapped1, wrapped2;  // 20 r
};

struct Sums {
  __m512i low[3];
  __m512i high[3];
};

inline __m512i times20(__m512i x) { return _mm512_add_epi64(_mm512_slli_epi64(x, 4), _mm512_slli_epi64(x, 2)); }

inline Multiplier multiplier(const Limbs& r) { return {r, times20(r.at[1]), times20(r.at[2])}; }

inline void add_product(Sums& sum, int limb, __m512i a, __m512i b) {
  sum.low[limb] = _mm512_madd52lo_epu64(sum.low[limb], a, b);
  sum.high[limb] = _mm512_madd52hi_epu64(sum.high[limb], a, b);
}

inline void multiply_add(Sums& sum, const Limbs& a, const Multiplier& by) {
  add_product(sum, 0, a.at[0], by.r.at[0]);
  add_product(sum, 1, a.at[0], by.r.at[1]);
  add_product(sum, 2, a.at[0], by.r.at[2]);
  add_product(sum, 0, a.at[1], by.wrapped2);
  add_product(sum, 1, a.at[1], by.r.at[0]);
  add_product(sum, 2, a.at[1], by.r.at[1]);
  add_product(sum, 0, a.at[2], by.wrapped1);
  add_product(sum, 1, a.at[2], by.wrapped2);
  add_product(sum, 2, a.at[2], by.r.at[0]);
}

inline Sums no_sums() {
  const __m512i zero = _mm512_setzero_si512();
  return {{zero, zero, zero}, {zero, zero, zero}};
}

/// Carries once, all limbs at the same time: they end below 2^45, which the next multiplication can take.
inline Limbs carry(const Sums& sum) {
  const __m512i wrapped = _mm512_slli_epi64(sum.high[2], 10);  // 4 << 8; five times that is added
  const __m512i low0 = _mm512_add_epi64(_mm512_add_epi64(sum.low[0], wrapped), _mm512_slli_epi64(wrapped, 2));
  const __m512i low1 = _mm512_add_epi64(sum.low[1], _mm512_slli_epi64(sum.high[0], 8));
  const __m512i low2 = _mm512_add_epi64(sum.low[2], _mm512_slli_epi64(sum.high[1], 8));
  const __m512i carry0 = _mm512_srli_epi64(low0, 44);
  const __m512i carry1 = _mm512_srli_epi64(low1, 44);
  const __m512i carry2 = _mm512_srli_epi64(low2, 42);
  const __m512i carry2_times5 = _mm512_add_epi64(carry2, _mm512_slli_epi64(carry2, 2));
  return {{_mm512_add_epi64(_mm512_and_si512(low0, mask44()), carry2_times5),
           _mm512_add_epi64(_mm512_and_si512(low1, mask44()), carry0),
           _mm512_add_epi64(_mm512_and_si512(low2, mask42()), carry1)}};
}

inline Limbs multiply(const Limbs& a, const Multiplier& by) {
  Sums sum = no_sums();
  multiply_add(sum, a, by);
  return carry(sum);
}

inline Limbs to_limbs(__m512i low, __m512i high, __m512i top_bit) {
  return {{_mm512_and_si512(low, mask44()), _mm512_and_si512(_mm512_shrdi_epi64(low, high, 44), mask44()),
           _mm512_or_si512(_mm512_srli_epi64(high, 24), top_bit)}};
}

inline Limbs plus(const Limbs& a, const Limbs& b) {
  return {{_mm512_add_epi64(a.at[0], b.at[0]), _mm512_add_epi64(a.at[1], b.at[1]), _mm512_add_epi64(a.at[2], b.at[2])}};
}

struct PairsOfLanes {
  __m512i low, high;  // words 0, 2, 4, 6 and words 1, 3, 5, 7, each of both lanes
};

inline void quarter_of_words(__m512i lanes01, __m512i lanes23, __m512i lanes45, __m512i lanes67, __m512i (&words)[8],
                             int first) {
  const __m512i front0123 = _mm512_shuffle_i64x2(lanes01, lanes23, 0x44);
  const __m512i front4567 = _mm512_shuffle_i64x2(lanes45, lanes67, 0x44);
  const __m512i back0123 = _mm512_shuffle_i64x2(lanes01, lanes23, 0xee);
  const __m512i back4567 = _mm512_shuffle_i64x2(lanes45, lanes67, 0xee);
  words[first] = _mm512_shuffle_i64x2(front0123, front4567, 0x88);
  words[first + 2] = _mm512_shuffle_i64x2(front0123, front4567, 0xdd);
  words[first + 4] = _mm512_shuffle_i64x2(back0123, back4567, 0x88);
  words[first + 6] = _mm512_shuffle_i64x2(back0123, back4567, 0xdd);
}

/// From the 64 bytes that `load(lane)` gives of each message to their n-th 64-bit words.
template <typename Load>
[[gnu::always_inline]] inline void transpose(Load load, __m512i (&words)[8]) {
  const auto pair = [&](size_t lane) -> PairsOfLanes {
    const __m512i even = load(lane), odd = load(lane + 1);
    return {_mm512_unpacklo_epi64(even, odd), _mm512_unpackhi_epi64(even, odd)};
  };
  const PairsOfLanes lanes01 = pair(0), lanes23 = pair(2), lanes45 = pair(4), lanes67 = pair(6);
  quarter_of_words(lanes01.low, lanes23.low, lanes45.low, lanes67.low, words, 0);
  quarter_of_words(lanes01.high, lanes23.high, lanes45.high, lanes67.high, words, 1);
}

/// Eight messages on their way.
class EightPolys {
 public:
  /// Each message's r and s, the low and the high halves; r is not yet clamped.
  void set_keys(__m512i r_low, __m512i r_high, __m512i s_low, __m512i s_high) {
    const __m512i clamped_low = _mm512_and_si512(r_low, every(0x0ffffffc0fffffff));
    const __m512i clamped_high = _mm512_and_si512(r_high, every(0x0ffffffc0ffffffc));
    const Limbs r = to_limbs(clamped_low, clamped_high, _mm512_setzero_si512());
    power_[0] = multiplier(r);
    const Limbs square = multiply(r, power_[0]);
    power_[1] = multiplier(square);
    power_[2] = multiplier(multiply(r, power_[1]));
    power_[3] = multiplier(multiply(square, power_[1]));
    s_low_ = s_low;
    s_high_ = s_high;
  }

  /// The texts and sizes of eight messages.
  void begin(uint8_t* const* texts, const uint64_t* sizes) {
    steps_.begin(sizes);
    texts_ = _mm512_load_si512(texts);
    sizes_ = _mm512_load_si512(sizes);
    const __m512i blocks = _mm512_srli_epi64(_mm512_add_epi64(sizes_, every(2 * vector::kPolyBlock - 1)), 4);
    null_bytes_ = _mm512_slli_epi64(_mm512_sub_epi64(every(steps_.count * vector::kStep), blocks), 4);
    for (__m512i& limb : h_.at) limb = _mm512_setzero_si512();
  }

  /// The steps until none has null blocks any more.
  void front() {
    for (step_ = 0; step_ < steps_.all_whole && step_ + 1 < steps_.count; ++step_) partial_step();
  }

  /// All further steps but the last.  The next step's blocks are fetched while this one's products are under way.
  void middle() {
    const size_t end = (steps_.count - 1 - step_) * vector::kStepBytes;
    if (end == 0) return;
    alignas(64) const uint8_t* data[kPolyLanes];
    _mm512_store_si512(data, _mm512_add_epi64(texts_, step_begins()));
    const __m512i top_bit = every(kTopBit);
    __m512i words[8];
    const auto fetch = [&](size_t offset) {
      transpose([&](size_t lane) { return _mm512_loadu_si512(data[lane] + offset); }, words);
    };
    fetch(0);
    Limbs h = h_;
    for (size_t offset = 0; offset < end; offset += vector::kStepBytes) {
      Sums sum = no_sums();
      multiply_add(sum, to_limbs(words[2], words[3], top_bit), power_[2]);
      multiply_add(sum, plus(h, to_limbs(words[0], words[1], top_bit)), power_[3]);
      const Limbs third = to_limbs(words[4], words[5], top_bit);
      const Limbs fourth = to_limbs(words[6], words[7], top_bit);
      fetch(offset + vector::kStepBytes < end ? offset + vector::kStepBytes : offset);
      multiply_add(sum, third, power_[1]);
      multiply_add(sum, fourth, power_[0]);
      h = carry(sum);
    }
    h_ = h;
    step_ = steps_.count - 1;
  }

  /// The last step, which ends with the block of lengths.
  void back() { partial_step(); }

  /// The tags: h modulo 2^130 - 5, plus s, modulo 2^128.
  void finish(Tag* tags) const {
    __m512i h0 = h_.at[0], h1 = h_.at[1], h2 = h_.at[2];
    for (int i = 0; i < 2; ++i) {
      h1 = _mm512_add_epi64(h1, _mm512_srli_epi64(h0, 44));
      h0 = _mm512_and_si512(h0, mask44());
      h2 = _mm512_add_epi64(h2, _mm512_srli_epi64(h1, 44));
      h1 = _mm512_and_si512(h1, mask44());
      const __m512i over = _mm512_srli_epi64(h2, 42);
      h2 = _mm512_and_si512(h2, mask42());
      h0 = _mm512_add_epi64(h0, _mm512_add_epi64(over, _mm512_slli_epi64(over, 2)));
    }
    // h + 5 reaches 2^130 exactly when h is not below the prime.
    const __m512i g0 = _mm512_add_epi64(h0, every(5));
    const __m512i g1 = _mm512_add_epi64(h1, _mm512_srli_epi64(g0, 44));
    const __m512i g2 = _mm512_add_epi64(h2, _mm512_srli_epi64(g1, 44));
    const __mmask8 reduce = _mm512_test_epi64_mask(g2, every(uint64_t{1} << 42));
    h0 = _mm512_mask_and_epi64(h0, reduce, g0, mask44());
    h1 = _mm512_mask_and_epi64(h1, reduce, g1, mask44());
    h2 = _mm512_mask_mov_epi64(h2, reduce, g2);

    const __m512i h_low = _mm512_add_epi64(h0, _mm512_slli_epi64(h1, 44));
    const __m512i tag_low = _mm512_add_epi64(h_low, s_low_);
    const __mmask8 h_carry = _mm512_cmplt_epu64_mask(h_low, h0);
    const __mmask8 tag_carry = _mm512_cmplt_epu64_mask(tag_low, h_low);
    __m512i tag_high = _mm512_add_epi64(_mm512_srli_epi64(h1, 20), _mm512_slli_epi64(h2, 24));
    tag_high = _mm512_add_epi64(tag_high, s_high_);
    tag_high = _mm512_mask_add_epi64(tag_high, h_carry, tag_high, every(1));
    tag_high = _mm512_mask_add_epi64(tag_high, tag_carry, tag_high, every(1));
    const __m512i even = _mm512_unpacklo_epi64(tag_low, tag_high);
    const __m512i odd = _mm512_unpackhi_epi64(tag_low, tag_high);
    const __m512i pairs = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
    _mm512_storeu_si512(tags, _mm512_permutex2var_epi64(even, pairs, odd));
    _mm512_storeu_si512(tags + 4, _mm512_permutex2var_epi64(even, _mm512_add_epi64(pairs, every(4)), odd));
  }

  void wipe() {
    for (Multiplier& power : power_) vector::overwrite(power);
    vector::overwrite(s_low_);
    vector::overwrite(s_high_);
    vector::overwrite(h_);
  }

 private:
  /// Where this step begins in each text: before it, if with null blocks.
  [[nodiscard]] __m512i step_begins() const { return _mm512_sub_epi64(every(step_ * vector::kStepBytes), null_bytes_); }

  /// A step where some lanes have null blocks, or the last, which ends with the block of lengths.  What is not in the
  /// text is not read.
  void partial_step() {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i begin = step_begins();
    const __m512i before = _mm512_max_epi64(_mm512_sub_epi64(zero, begin), zero);
    const __m512i after =
        _mm512_max_epi64(_mm512_sub_epi64(_mm512_add_epi64(begin, every(vector::kStepBytes)), sizes_), zero);
    alignas(64) uint64_t in_text[kPolyLanes];  // a bit for each byte of the step
    alignas(64) const void* data[kPolyLanes];
    _mm512_store_si512(in_text, _mm512_and_si512(_mm512_sllv_epi64(every(~uint64_t{0}), before),
                                                 _mm512_srlv_epi64(every(~uint64_t{0}), after)));
    _mm512_store_si512(data, _mm512_add_epi64(texts_, begin));
    __m512i words[8];
    transpose([&](size_t lane) { return _mm512_maskz_loadu_epi8(in_text[lane], data[lane]); }, words);
    if (step_ + 1 == steps_.count) words[7] = sizes_;  // without associated data the lengths' first half is zero

    Sums sum = no_sums();
    const auto block = [&](size_t j) {
      const __m512i at = every((step_ * vector::kStep + j) * vector::kPolyBlock);
      const __m512i top_bit = _mm512_maskz_mov_epi64(_mm512_cmple_epu64_mask(null_bytes_, at), every(kTopBit));
      return to_limbs(words[2 * j], words[2 * j + 1], top_bit);
    };
    const size_t first = step_ == 0 ? steps_.first_block : 0;
    if (first <= 0) multiply_add(sum, plus(h_, block(0)), power_[3]);
    if (first <= 1) multiply_add(sum, block(1), power_[2]);
    if (first <= 2) multiply_add(sum, block(2), power_[1]);
    multiply_add(sum, block(3), power_[0]);
    h_ = carry(sum);
  }

  Multiplier power_[vector::kStep];  // [i] is r^(i+1)
  __m512i s_low_, s_high_;
  Limbs h_;
  __m512i texts_, sizes_;
  __m512i null_bytes_;  // how far in front of the text the first step begins
  vector::PolySteps<EightPolys, kPolyLanes> steps_;
  size_t step_;
};

}  // namespace
}  // namespace adit::crypto
