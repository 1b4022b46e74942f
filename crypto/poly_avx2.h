// Poly1305 (RFC 8439) of four messages at a time, one in each 64-bit lane.  Only aead_avx2.cc includes this.
//
// Numbers are five limbs of 26 bits, for multiplications of 32 bits by 32; 2^130 is 5, so what goes beyond the highest
// limb comes back to the lowest one five times.  The steps are those of poly_steps.h.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "crypto/poly_steps.h"

namespace adit::crypto {
namespace {

inline constexpr size_t kPolyLanes = 4;
inline constexpr int kLimbs = 5;

inline __m256i every(uint64_t value) { return _mm256_set1_epi64x(static_cast<int64_t>(value)); }
inline __m256i mask26() { return every((1u << 26) - 1); }

struct Limbs {
  __m256i at[kLimbs];
};

struct Multiplier {
  Limbs r;
  Limbs wrapped;  // 5 r; [0] is not used
};

inline Multiplier multiplier(const Limbs& r) {
  Multiplier result{r, {}};
  for (int i = 0; i < kLimbs; ++i) result.wrapped.at[i] = _mm256_add_epi64(r.at[i], _mm256_slli_epi64(r.at[i], 2));
  return result;
}

/// Adds one limb's part of a product to the sums of all five.
template <int kFrom>
void add_products(Limbs& sum, __m256i limb, const Multiplier& by) {
  const auto add = [&](int to) {
    const __m256i factor = to >= kFrom ? by.r.at[to - kFrom] : by.wrapped.at[kLimbs + to - kFrom];
    sum.at[to] = _mm256_add_epi64(sum.at[to], _mm256_mul_epu32(limb, factor));
  };
  add(0);
  add(1);
  add(2);
  add(3);
  add(4);
  // Here the sums are in registers: or else gcc multiplies first and adds later, and has to keep everything in memory.
  asm("" : "+x"(sum.at[0]), "+x"(sum.at[1]), "+x"(sum.at[2]), "+x"(sum.at[3]), "+x"(sum.at[4]));
}

/// Not carried.  Four products may be added up: limbs are below 2^28, and 5 times one of r below 2^29.
inline void multiply_add(Limbs& sum, const Limbs& a, const Multiplier& by) {
  add_products<0>(sum, a.at[0], by);
  add_products<1>(sum, a.at[1], by);
  add_products<2>(sum, a.at[2], by);
  add_products<3>(sum, a.at[3], by);
  add_products<4>(sum, a.at[4], by);
}

inline Limbs no_sums() {
  const __m256i zero = _mm256_setzero_si256();
  return {{zero, zero, zero, zero, zero}};
}

inline Limbs plus(const Limbs& a, const Limbs& b) {
  Limbs sum;
  for (int i = 0; i < kLimbs; ++i) sum.at[i] = _mm256_add_epi64(a.at[i], b.at[i]);
  return sum;
}

inline void carry_from(Limbs& x, int from) {
  const __m256i over = _mm256_srli_epi64(x.at[from], 26);
  x.at[from] = _mm256_and_si256(x.at[from], mask26());
  if (from + 1 < kLimbs) {
    x.at[from + 1] = _mm256_add_epi64(x.at[from + 1], over);
  } else {
    x.at[0] = _mm256_add_epi64(x.at[0], _mm256_add_epi64(over, _mm256_slli_epi64(over, 2)));
  }
}

/// Two chains side by side; limbs end below 2^26 but for the second and the fifth, which may have a bit more.
inline Limbs carry(Limbs x) {
  carry_from(x, 0);
  carry_from(x, 3);
  carry_from(x, 1);
  carry_from(x, 4);
  carry_from(x, 2);
  carry_from(x, 0);
  carry_from(x, 3);
  return x;
}

inline Limbs multiply(const Limbs& a, const Multiplier& by) {
  Limbs sum = no_sums();
  multiply_add(sum, a, by);
  return carry(sum);
}

inline Limbs to_limbs(__m256i low, __m256i high, __m256i top_bit) {
  const __m256i across = _mm256_or_si256(_mm256_srli_epi64(low, 52), _mm256_slli_epi64(high, 12));
  return {{_mm256_and_si256(low, mask26()), _mm256_and_si256(_mm256_srli_epi64(low, 26), mask26()),
           _mm256_and_si256(across, mask26()), _mm256_and_si256(_mm256_srli_epi64(high, 14), mask26()),
           _mm256_or_si256(_mm256_srli_epi64(high, 40), top_bit)}};
}

/// All ones in the first `count` bytes, which are at most sixteen.
inline __m128i first_bytes(size_t count) {
  alignas(64) static constexpr uint8_t kOnesThenZeros[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(kOnesThenZeros + 16 - count));
}

class FourPolys {
 public:
  /// Each message's r and s, the low and the high halves; r is not yet clamped.
  void set_keys(__m256i r_low, __m256i r_high, __m256i s_low, __m256i s_high) {
    const __m256i clamped_low = _mm256_and_si256(r_low, every(0x0ffffffc0fffffff));
    const __m256i clamped_high = _mm256_and_si256(r_high, every(0x0ffffffc0ffffffc));
    const Limbs r = to_limbs(clamped_low, clamped_high, _mm256_setzero_si256());
    power_[0] = multiplier(r);
    const Limbs square = multiply(r, power_[0]);
    power_[1] = multiplier(square);
    power_[2] = multiplier(multiply(r, power_[1]));
    power_[3] = multiplier(multiply(square, power_[1]));
    _mm256_store_si256(reinterpret_cast<__m256i*>(s_low_), s_low);
    _mm256_store_si256(reinterpret_cast<__m256i*>(s_high_), s_high);
  }

  /// The texts and sizes of four messages.
  void begin(uint8_t* const* texts, const uint64_t* sizes) {
    steps_.begin(sizes);
    texts_ = texts;
    sizes_ = sizes;
    for (size_t i = 0; i < kPolyLanes; ++i) null_blocks_[i] = steps_.count * vector::kStep - steps_.blocks_of(sizes[i]);
    for (__m256i& limb : h_.at) limb = _mm256_setzero_si256();
  }

  void front() {
    for (step_ = 0; step_ < steps_.all_whole && step_ + 1 < steps_.count; ++step_) partial_step();
  }

  void middle() {
    const uint8_t* data[kPolyLanes];
    for (size_t i = 0; i < kPolyLanes; ++i) {
      data[i] = texts_[i] + (step_ * vector::kStep - null_blocks_[i]) * vector::kPolyBlock;
    }
    const __m256i top_bit = every(kTopBit);
    const size_t end = (steps_.count - 1 - step_) * vector::kStepBytes;
    Limbs h = h_;
    for (size_t offset = 0; offset < end; offset += vector::kStepBytes) {
      const auto block = [&](size_t j) {
        const size_t at = offset + j * vector::kPolyBlock;
        return side_by_side(load(data[0] + at), load(data[1] + at), load(data[2] + at), load(data[3] + at), top_bit);
      };
      Limbs sum = no_sums();
      multiply_add(sum, block(1), power_[2]);
      multiply_add(sum, block(2), power_[1]);
      multiply_add(sum, block(3), power_[0]);
      multiply_add(sum, plus(h, block(0)), power_[3]);
      h = carry(sum);
    }
    h_ = h;
    step_ = steps_.count - 1;
  }

  void back() { partial_step(); }

  void finish(Tag* tags) {
    for (int i = 0; i < 9; ++i) carry_from(h_, i % kLimbs);
    alignas(32) uint64_t limbs[kLimbs][kPolyLanes];
    for (int i = 0; i < kLimbs; ++i) _mm256_store_si256(reinterpret_cast<__m256i*>(limbs[i]), h_.at[i]);
    for (size_t i = 0; i < kPolyLanes; ++i) {
      const uint64_t low = limbs[0][i] | limbs[1][i] << 26 | limbs[2][i] << 52;
      const uint64_t high = limbs[2][i] >> 12 | limbs[3][i] << 14 | limbs[4][i] << 40;
      tags[i] = poly1305_finish(low, high, limbs[4][i] >> 24, s_low_[i], s_high_[i]);
    }
  }

  void wipe() {
    for (Multiplier& power : power_) vector::overwrite(power);
    vector::overwrite(s_low_);
    vector::overwrite(s_high_);
    vector::overwrite(h_);
  }

 private:
  static constexpr uint64_t kTopBit = uint64_t{1} << 24;  // in the highest limb: 2^128, above a block's bytes

  static __m128i load(const uint8_t* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); }

  static Limbs side_by_side(__m128i a, __m128i b, __m128i c, __m128i d, __m256i top_bit) {
    const __m256i even = _mm256_inserti128_si256(_mm256_castsi128_si256(a), c, 1);
    const __m256i odd = _mm256_inserti128_si256(_mm256_castsi128_si256(b), d, 1);
    return to_limbs(_mm256_unpacklo_epi64(even, odd), _mm256_unpackhi_epi64(even, odd), top_bit);
  }

  /// A lane's block, counted from the first step's first.  Of the last of the text the bytes behind are loaded too:
  /// they are the place of the tag.
  [[nodiscard]] __m128i block_of(size_t lane, size_t number) const {
    if (number < null_blocks_[lane]) return _mm_setzero_si128();
    const size_t at = (number - null_blocks_[lane]) * vector::kPolyBlock;
    const size_t size = sizes_[lane];
    if (at >= size) return _mm_set_epi64x(static_cast<int64_t>(size), 0);  // without associated data
    const __m128i block = load(texts_[lane] + at);
    return size - at >= vector::kPolyBlock ? block : _mm_and_si128(block, first_bytes(size - at));
  }

  /// A step where some lanes have null blocks, or the last, which ends with the block of lengths.
  void partial_step() {
    Limbs sum = no_sums();
    for (size_t j = step_ == 0 ? steps_.first_block : 0; j < vector::kStep; ++j) {
      const size_t number = step_ * vector::kStep + j;
      const __m256i null_blocks = _mm256_load_si256(reinterpret_cast<const __m256i*>(null_blocks_));
      const __m256i is_null = _mm256_cmpgt_epi64(null_blocks, every(number));
      const Limbs block = side_by_side(block_of(0, number), block_of(1, number), block_of(2, number),
                                       block_of(3, number), _mm256_andnot_si256(is_null, every(kTopBit)));
      multiply_add(sum, j == 0 ? plus(h_, block) : block, power_[vector::kStep - 1 - j]);
    }
    h_ = carry(sum);
  }

  Multiplier power_[vector::kStep];  // [i] is r^(i+1)
  Limbs h_;
  alignas(32) uint64_t s_low_[kPolyLanes];
  alignas(32) uint64_t s_high_[kPolyLanes];
  alignas(32) uint64_t null_blocks_[kPolyLanes];
  uint8_t* const* texts_;
  const uint64_t* sizes_;
  vector::PolySteps<FourPolys, kPolyLanes> steps_;
  size_t step_;
};

}  // namespace
}  // namespace adit::crypto
