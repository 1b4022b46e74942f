// Poly1305 (RFC 8439) of four messages at a time, one in each 32-bit lane.  Only aead_neon.cc includes this.
//
// Numbers are five limbs of 26 bits, for multiplications of 32 bits by 32, whose sums take twice the lanes' width;
// 2^130 is 5, so what goes beyond the highest limb comes back to the lowest one five times.  The steps are those of
// poly_steps.h.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

#include "crypto/chacha_neon.h"
#include "crypto/poly_steps.h"

namespace adit::crypto {
namespace {

inline constexpr size_t kPolyLanes = 4;
inline constexpr int kLimbs = 5;
inline constexpr uint32_t kMask26 = (1u << 26) - 1;

struct Limbs {
  uint32x4_t at[kLimbs];
};

/// Limbs in the making: those of the first two lanes, and those of the last two.
struct Sums {
  uint64x2_t front[kLimbs];
  uint64x2_t back[kLimbs];
};

struct Multiplier {
  Limbs r;
  Limbs wrapped;  // 5 r; [0] is not used
};

inline Multiplier multiplier(const Limbs& r) {
  Multiplier result{r, r};
  for (int i = 1; i < kLimbs; ++i) result.wrapped.at[i] = vaddq_u32(r.at[i], vshlq_n_u32(r.at[i], 2));
  return result;
}

/// Adds one limb's part of a product to the sums of all five.
template <int kFrom>
void add_products(Sums& sum, uint32x4_t limb, const Multiplier& by) {
  const auto add = [&](int to) {
    const uint32x4_t factor = to >= kFrom ? by.r.at[to - kFrom] : by.wrapped.at[kLimbs + to - kFrom];
    sum.front[to] = vmlal_u32(sum.front[to], vget_low_u32(limb), vget_low_u32(factor));
    sum.back[to] = vmlal_high_u32(sum.back[to], limb, factor);
  };
  add(0);
  add(1);
  add(2);
  add(3);
  add(4);
}

/// Not carried.  Four products may be added up: limbs are below 2^28, and 5 times one of r below 2^29.
inline void multiply_add(Sums& sum, const Limbs& a, const Multiplier& by) {
  // From where it is, each time: or else gcc loads all powers before the loop, has no room, and leaves them on the
  // stack.
  const Multiplier* here = &by;
  asm("" : "+r"(here) : "m"(by));
  add_products<0>(sum, a.at[0], *here);
  add_products<1>(sum, a.at[1], *here);
  add_products<2>(sum, a.at[2], *here);
  add_products<3>(sum, a.at[3], *here);
  add_products<4>(sum, a.at[4], *here);
}

inline Sums no_sums() {
  const uint64x2_t zero = vdupq_n_u64(0);
  return {{zero, zero, zero, zero, zero}, {zero, zero, zero, zero, zero}};
}

inline Limbs plus(const Limbs& a, const Limbs& b) {
  Limbs sum;
  for (int i = 0; i < kLimbs; ++i) sum.at[i] = vaddq_u32(a.at[i], b.at[i]);
  return sum;
}

inline void carry_from(uint64x2_t (&x)[kLimbs], int from) {
  const uint64x2_t mask = vdupq_n_u64(kMask26);
  if (from + 1 < kLimbs) {
    x[from + 1] = vsraq_n_u64(x[from + 1], x[from], 26);
  } else {
    x[0] = vsraq_n_u64(vsraq_n_u64(x[0], x[from], 26), vbicq_u64(x[from], mask), 24);  // once, and four times
  }
  x[from] = vandq_u64(x[from], mask);
}

inline void carry_from(Sums& x, int from) {
  carry_from(x.front, from);
  carry_from(x.back, from);
}

/// Two chains side by side; limbs end below 2^26 but for the second and the fifth, which may have a bit more.
inline Limbs carry(Sums x) {
  carry_from(x, 0);
  carry_from(x, 3);
  carry_from(x, 1);
  carry_from(x, 4);
  carry_from(x, 2);
  carry_from(x, 0);
  carry_from(x, 3);
  Limbs result;
  for (int i = 0; i < kLimbs; ++i) {
    result.at[i] = vuzp1q_u32(vreinterpretq_u32_u64(x.front[i]), vreinterpretq_u32_u64(x.back[i]));
  }
  return result;
}

inline Limbs multiply(const Limbs& a, const Multiplier& by) {
  Sums sum = no_sums();
  multiply_add(sum, a, by);
  return carry(sum);
}

/// From a message's 128 bits in each lane, word by word.
inline Limbs to_limbs(const uint32x4_t (&words)[4], uint32x4_t top_bit) {
  const uint32x4_t mask = vdupq_n_u32(kMask26);
  return {{vandq_u32(words[0], mask), vandq_u32(vsriq_n_u32(vshlq_n_u32(words[1], 6), words[0], 26), mask),
           vandq_u32(vsriq_n_u32(vshlq_n_u32(words[2], 12), words[1], 20), mask),
           vandq_u32(vsriq_n_u32(vshlq_n_u32(words[3], 18), words[2], 14), mask),
           vorrq_u32(vshrq_n_u32(words[3], 8), top_bit)}};
}

/// All ones in the first `count` bytes, which are at most sixteen.
inline uint8x16_t first_bytes(size_t count) {
  alignas(32) static constexpr uint8_t kOnesThenZeros[32] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                                             0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
  return vld1q_u8(kOnesThenZeros + 16 - count);
}

/// Two words of each message.
struct WordPairs {
  uint32x4_t low, high;
};

class FourPolys {
 public:
  /// Each message's r and s, the low and the high halves; r is not yet clamped.
  void set_keys(WordPairs r_low, WordPairs r_high, WordPairs s_low, WordPairs s_high) {
    const uint32x4_t lowest = vdupq_n_u32(0x0fffffff), others = vdupq_n_u32(0x0ffffffc);
    const uint32x4_t clamped[4] = {vandq_u32(r_low.low, lowest), vandq_u32(r_low.high, others),
                                   vandq_u32(r_high.low, others), vandq_u32(r_high.high, others)};
    const Limbs r = to_limbs(clamped, vdupq_n_u32(0));
    power_[0] = multiplier(r);
    const Limbs square = multiply(r, power_[0]);
    power_[1] = multiplier(square);
    power_[2] = multiplier(multiply(r, power_[1]));
    power_[3] = multiplier(multiply(square, power_[1]));
    store_numbers(s_low_, s_low);
    store_numbers(s_high_, s_high);
  }

  /// The texts and sizes of four messages.
  void begin(uint8_t* const* texts, const uint64_t* sizes) {
    steps_.begin(sizes);
    texts_ = texts;
    sizes_ = sizes;
    for (size_t i = 0; i < kPolyLanes; ++i) null_blocks_[i] = steps_.count * vector::kStep - steps_.blocks_of(sizes[i]);
    for (uint32x4_t& limb : h_.at) limb = vdupq_n_u32(0);
  }

  void front() {
    for (step_ = 0; step_ < steps_.all_whole && step_ + 1 < steps_.count; ++step_) partial_step();
  }

  void middle() {
    const uint8_t* data[kPolyLanes];
    for (size_t i = 0; i < kPolyLanes; ++i) {
      data[i] = texts_[i] + (step_ * vector::kStep - null_blocks_[i]) * vector::kPolyBlock;
    }
    const uint32x4_t top_bit = vdupq_n_u32(kTopBit);
    const size_t end = (steps_.count - 1 - step_) * vector::kStepBytes;
    Limbs h = h_;
    for (size_t offset = 0; offset < end; offset += vector::kStepBytes) {
      const auto block = [&](size_t j) {
        const size_t at = offset + j * vector::kPolyBlock;
        return side_by_side(load(data[0] + at), load(data[1] + at), load(data[2] + at), load(data[3] + at), top_bit);
      };
      Sums sum = no_sums();
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
    for (int i = 0; i < 9; ++i) carry_from_narrow(i % kLimbs);
    alignas(16) uint32_t limbs[kLimbs][kPolyLanes];
    for (int i = 0; i < kLimbs; ++i) vst1q_u32(limbs[i], h_.at[i]);
    for (size_t i = 0; i < kPolyLanes; ++i) {
      const uint64_t h[kLimbs] = {limbs[0][i], limbs[1][i], limbs[2][i], limbs[3][i], limbs[4][i]};
      const uint64_t low = h[0] | h[1] << 26 | h[2] << 52;
      const uint64_t high = h[2] >> 12 | h[3] << 14 | h[4] << 40;
      tags[i] = poly1305_finish(low, high, h[4] >> 24, s_low_[i], s_high_[i]);
    }
  }

  void wipe() {
    for (Multiplier& power : power_) vector::overwrite(power);
    vector::overwrite(s_low_);
    vector::overwrite(s_high_);
    vector::overwrite(h_);
  }

 private:
  static constexpr uint32_t kTopBit = 1u << 24;  // in the highest limb: 2^128, above a block's bytes

  static uint8x16_t load(const uint8_t* from) { return vld1q_u8(from); }

  static void store_numbers(uint64_t* to, WordPairs from) {
    vst1q_u64(to, vreinterpretq_u64_u32(vzip1q_u32(from.low, from.high)));
    vst1q_u64(to + 2, vreinterpretq_u64_u32(vzip2q_u32(from.low, from.high)));
  }

  static Limbs side_by_side(uint8x16_t a, uint8x16_t b, uint8x16_t c, uint8x16_t d, uint32x4_t top_bit) {
    uint32x4_t words[4] = {vreinterpretq_u32_u8(a), vreinterpretq_u32_u8(b), vreinterpretq_u32_u8(c),
                           vreinterpretq_u32_u8(d)};
    transpose(words);
    return to_limbs(words, top_bit);
  }

  void carry_from_narrow(int from) {
    const uint32x4_t over = vshrq_n_u32(h_.at[from], 26);
    h_.at[from] = vandq_u32(h_.at[from], vdupq_n_u32(kMask26));
    uint32x4_t& to = h_.at[(from + 1) % kLimbs];
    to = vaddq_u32(to, from + 1 < kLimbs ? over : vaddq_u32(over, vshlq_n_u32(over, 2)));
  }

  /// A lane's block, counted from the first step's first.  Of the last of the text the bytes behind are loaded too:
  /// they are the place of the tag.
  [[nodiscard]] uint8x16_t block_of(size_t lane, size_t number) const {
    if (number < null_blocks_[lane]) return vdupq_n_u8(0);
    const size_t at = (number - null_blocks_[lane]) * vector::kPolyBlock;
    const size_t size = sizes_[lane];
    // without associated data
    if (at >= size) return vreinterpretq_u8_u64(vcombine_u64(vcreate_u64(0), vcreate_u64(size)));
    const uint8x16_t block = load(texts_[lane] + at);
    return size - at >= vector::kPolyBlock ? block : vandq_u8(block, first_bytes(size - at));
  }

  /// The bit above a block of each lane, but not above null blocks.
  [[nodiscard]] uint32x4_t top_bits(size_t number) const {
    const uint64x2_t at = vdupq_n_u64(number);
    const uint64x2_t front = vcgeq_u64(at, vld1q_u64(null_blocks_)), back = vcgeq_u64(at, vld1q_u64(null_blocks_ + 2));
    const uint32x4_t is_there = vuzp1q_u32(vreinterpretq_u32_u64(front), vreinterpretq_u32_u64(back));
    return vandq_u32(is_there, vdupq_n_u32(kTopBit));
  }

  /// A step where some lanes have null blocks, or the last, which ends with the block of lengths.
  void partial_step() {
    Sums sum = no_sums();
    for (size_t j = step_ == 0 ? steps_.first_block : 0; j < vector::kStep; ++j) {
      const size_t number = step_ * vector::kStep + j;
      const Limbs block = side_by_side(block_of(0, number), block_of(1, number), block_of(2, number),
                                       block_of(3, number), top_bits(number));
      multiply_add(sum, j == 0 ? plus(h_, block) : block, power_[vector::kStep - 1 - j]);
    }
    h_ = carry(sum);
  }

  Multiplier power_[vector::kStep];  // [i] is r^(i+1)
  Limbs h_;
  alignas(16) uint64_t s_low_[kPolyLanes];
  alignas(16) uint64_t s_high_[kPolyLanes];
  alignas(16) uint64_t null_blocks_[kPolyLanes];
  uint8_t* const* texts_;
  const uint64_t* sizes_;
  vector::PolySteps<FourPolys, kPolyLanes> steps_;
  size_t step_;
};

}  // namespace
}  // namespace adit::crypto
