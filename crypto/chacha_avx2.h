// ChaCha20 (RFC 8439) on eight blocks at a time, one in each 32-bit lane.  Only aead_avx2.cc includes this.
#pragma once

#include <immintrin.h>

#include <cstddef>

namespace adit::crypto {
namespace {

using Words = __m256i;  // eight blocks' n-th word

inline Words rotate16(Words x) {
  const Words bytes = _mm256_setr_epi8(2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,  //
                                       2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
  return _mm256_shuffle_epi8(x, bytes);
}

inline Words rotate8(Words x) {
  const Words bytes = _mm256_setr_epi8(3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,  //
                                       3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14);
  return _mm256_shuffle_epi8(x, bytes);
}

template <int kBits>
Words rotate(Words x) {
  return _mm256_or_si256(_mm256_slli_epi32(x, kBits), _mm256_srli_epi32(x, 32 - kBits));
}

inline void quarter_round(Words& a, Words& b, Words& c, Words& d) {
  a = _mm256_add_epi32(a, b);
  d = rotate16(_mm256_xor_si256(d, a));
  c = _mm256_add_epi32(c, d);
  b = rotate<12>(_mm256_xor_si256(b, c));
  a = _mm256_add_epi32(a, b);
  d = rotate8(_mm256_xor_si256(d, a));
  c = _mm256_add_epi32(c, d);
  b = rotate<7>(_mm256_xor_si256(b, c));
}

/// The other rounds and the final addition: `state` is where the first round's columns are done, and becomes the
/// blocks' words.
inline void chacha_rounds(const Words (&initial)[16], Words (&state)[16]) {
  Words x0 = state[0], x1 = state[1], x2 = state[2], x3 = state[3];
  Words x4 = state[4], x5 = state[5], x6 = state[6], x7 = state[7];
  Words x8 = state[8], x9 = state[9], x10 = state[10], x11 = state[11];
  Words x12 = state[12], x13 = state[13], x14 = state[14], x15 = state[15];
  for (int left = 10;;) {
    quarter_round(x0, x5, x10, x15);
    quarter_round(x1, x6, x11, x12);
    quarter_round(x2, x7, x8, x13);
    quarter_round(x3, x4, x9, x14);
    if (--left == 0) break;
    quarter_round(x0, x4, x8, x12);
    quarter_round(x1, x5, x9, x13);
    quarter_round(x2, x6, x10, x14);
    quarter_round(x3, x7, x11, x15);
  }
  const Words x[16] = {x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15};
  for (int i = 0; i < 16; ++i) state[i] = _mm256_add_epi32(initial[i], x[i]);
}

/// From eight words across lanes to lanes, in place: words[i] becomes lane i's eight words.
inline void transpose(Words* words) {
  Words quads[8];  // [i], [4 + i]: words 0 to 3 and words 4 to 7 of the lanes i and i+4
  for (int i = 0; i < 8; i += 4) {
    const Words low01 = _mm256_unpacklo_epi32(words[i], words[i + 1]);
    const Words high01 = _mm256_unpackhi_epi32(words[i], words[i + 1]);
    const Words low23 = _mm256_unpacklo_epi32(words[i + 2], words[i + 3]);
    const Words high23 = _mm256_unpackhi_epi32(words[i + 2], words[i + 3]);
    quads[i] = _mm256_unpacklo_epi64(low01, low23);
    quads[i + 1] = _mm256_unpackhi_epi64(low01, low23);
    quads[i + 2] = _mm256_unpacklo_epi64(high01, high23);
    quads[i + 3] = _mm256_unpackhi_epi64(high01, high23);
  }
  for (int i = 0; i < 4; ++i) {
    words[i] = _mm256_permute2x128_si256(quads[i], quads[4 + i], 0x20);
    words[i + 4] = _mm256_permute2x128_si256(quads[i], quads[4 + i], 0x31);
  }
}

}  // namespace
}  // namespace adit::crypto
