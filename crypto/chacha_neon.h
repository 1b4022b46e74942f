// ChaCha20 (RFC 8439) on four blocks at a time, one in each 32-bit lane.  Only aead_neon.cc includes this.
#pragma once

#include <arm_neon.h>

#include <cstddef>

namespace adit::crypto {
namespace {

using Words = uint32x4_t;  // four blocks' n-th word

inline Words rotate16(Words x) { return vreinterpretq_u32_u16(vrev32q_u16(vreinterpretq_u16_u32(x))); }

inline Words rotate8(Words x) {
  alignas(16) static constexpr uint8_t kBytes[16] = {3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14};
  return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(x), vld1q_u8(kBytes)));
}

template <int kBits>
Words rotate(Words x) {
  return vsriq_n_u32(vshlq_n_u32(x, kBits), x, 32 - kBits);
}

inline void quarter_round(Words& a, Words& b, Words& c, Words& d) {
  a = vaddq_u32(a, b);
  d = rotate16(veorq_u32(d, a));
  c = vaddq_u32(c, d);
  b = rotate<12>(veorq_u32(b, c));
  a = vaddq_u32(a, b);
  d = rotate8(veorq_u32(d, a));
  c = vaddq_u32(c, d);
  b = rotate<7>(veorq_u32(b, c));
}

/// The other rounds and the final addition: `state` is where the first round's columns are done, and becomes the
/// blocks' words.  Two states fill all registers and a few words go through memory, but while one waits for a result,
/// the other computes.
template <size_t kCount>
void chacha_rounds(const Words (*initial)[16], Words (*state)[16]) {
  Words x[kCount][16];
  for (size_t i = 0; i < kCount; ++i) {
    for (size_t word = 0; word < 16; ++word) x[i][word] = state[i][word];
  }
  const auto quarter_rounds = [&](size_t a, size_t b, size_t c, size_t d) {
    for (size_t i = 0; i < kCount; ++i) quarter_round(x[i][a], x[i][b], x[i][c], x[i][d]);
  };
  for (int left = 10;;) {
    quarter_rounds(0, 5, 10, 15);
    quarter_rounds(1, 6, 11, 12);
    quarter_rounds(2, 7, 8, 13);
    quarter_rounds(3, 4, 9, 14);
    if (--left == 0) break;
    quarter_rounds(0, 4, 8, 12);
    quarter_rounds(1, 5, 9, 13);
    quarter_rounds(2, 6, 10, 14);
    quarter_rounds(3, 7, 11, 15);
  }
  for (size_t i = 0; i < kCount; ++i) {
    for (size_t word = 0; word < 16; ++word) state[i][word] = vaddq_u32(initial[i][word], x[i][word]);
  }
}

/// From four words across lanes to lanes, in place: words[i] becomes lane i's four words.
inline void transpose(Words* words) {
  const auto wide = [](Words x) { return vreinterpretq_u64_u32(x); };
  const uint64x2_t even01 = wide(vtrn1q_u32(words[0], words[1])), odd01 = wide(vtrn2q_u32(words[0], words[1]));
  const uint64x2_t even23 = wide(vtrn1q_u32(words[2], words[3])), odd23 = wide(vtrn2q_u32(words[2], words[3]));
  words[0] = vreinterpretq_u32_u64(vtrn1q_u64(even01, even23));
  words[1] = vreinterpretq_u32_u64(vtrn1q_u64(odd01, odd23));
  words[2] = vreinterpretq_u32_u64(vtrn2q_u64(even01, even23));
  words[3] = vreinterpretq_u32_u64(vtrn2q_u64(odd01, odd23));
}

}  // namespace
}  // namespace adit::crypto
