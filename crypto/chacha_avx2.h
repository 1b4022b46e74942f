// ChaCha20 (RFC 8439) on eight blocks at a time, one in each 32-bit lane.  Only aead_avx2.cc includes this.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace adit::crypto {
namespace {

using Words = __m256i;  // eight blocks' n-th word

alignas(32) inline constexpr uint8_t kRotate16[] = {2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13,
                                                    2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13};
alignas(32) inline constexpr uint8_t kRotate8[] = {3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14,
                                                   3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14};

inline Words shuffle(Words x, const uint8_t (&bytes)[32]) {
  return _mm256_shuffle_epi8(x, _mm256_load_si256(reinterpret_cast<const __m256i*>(bytes)));
}

template <int kBits>
Words rotate(Words x) {
  return _mm256_or_si256(_mm256_slli_epi32(x, kBits), _mm256_srli_epi32(x, 32 - kBits));
}

inline void quarter_round(Words& a, Words& b, Words& c, Words& d) {
  a = _mm256_add_epi32(a, b);
  d = shuffle(_mm256_xor_si256(d, a), kRotate16);
  c = _mm256_add_epi32(c, d);
  b = rotate<12>(_mm256_xor_si256(b, c));
  a = _mm256_add_epi32(a, b);
  d = shuffle(_mm256_xor_si256(d, a), kRotate8);
  c = _mm256_add_epi32(c, d);
  b = rotate<7>(_mm256_xor_si256(b, c));
}

/// Half of two quarter rounds, side by side.  There are sixteen registers: for fourteen words and what these two put
/// aside.  Compilers need more, and wait for what they have put into memory a moment ago.
template <int kBits>
void half_rounds(Words& a0, Words& b0, Words& c0, Words& d0, Words& a1, Words& b1, Words& c1, Words& d1,
                 const uint8_t (&bytes)[32]) {
  Words left0, left1;
  asm("vpaddd %[b0], %[a0], %[a0]\n\t"
      "vpaddd %[b1], %[a1], %[a1]\n\t"
      "vpxor %[a0], %[d0], %[d0]\n\t"
      "vpxor %[a1], %[d1], %[d1]\n\t"
      "vpshufb %[bytes], %[d0], %[d0]\n\t"
      "vpshufb %[bytes], %[d1], %[d1]\n\t"
      "vpaddd %[d0], %[c0], %[c0]\n\t"
      "vpaddd %[d1], %[c1], %[c1]\n\t"
      "vpxor %[c0], %[b0], %[b0]\n\t"
      "vpxor %[c1], %[b1], %[b1]\n\t"
      "vpslld %[left], %[b0], %[left0]\n\t"
      "vpslld %[left], %[b1], %[left1]\n\t"
      "vpsrld %[right], %[b0], %[b0]\n\t"
      "vpsrld %[right], %[b1], %[b1]\n\t"
      "vpor %[left0], %[b0], %[b0]\n\t"
      "vpor %[left1], %[b1], %[b1]"
      : [a0] "+x"(a0), [b0] "+x"(b0), [c0] "+x"(c0), [d0] "+x"(d0), [a1] "+x"(a1), [b1] "+x"(b1), [c1] "+x"(c1),
        [d1] "+x"(d1), [left0] "=&x"(left0), [left1] "=&x"(left1)
      : [bytes] "m"(bytes), [left] "i"(kBits), [right] "i"(32 - kBits));
}

inline void quarter_rounds(Words& a0, Words& b0, Words& c0, Words& d0, Words& a1, Words& b1, Words& c1, Words& d1) {
  half_rounds<12>(a0, b0, c0, d0, a1, b1, c1, d1, kRotate16);
  half_rounds<7>(a0, b0, c0, d0, a1, b1, c1, d1, kRotate8);
}

/// The other rounds and the final addition: `state` is where the first round's columns are done, and becomes the
/// blocks' words.
inline void chacha_rounds(const Words (&initial)[16], Words (&state)[16]) {
  Words x0 = state[0], x1 = state[1], x2 = state[2], x3 = state[3];
  Words x4 = state[4], x5 = state[5], x6 = state[6], x7 = state[7];
  Words x12 = state[12], x13 = state[13], x14 = state[14], x15 = state[15];
  // Of the third row two words are in registers, the others in `state`: they change places in the middle of a round.
  Words c0 = state[10], c1 = state[11];
  const auto change = [&](size_t out, size_t in) {
    state[out] = c0;
    state[out + 1] = c1;
    asm volatile("" : "+m"(state[out]), "+m"(state[out + 1]));
    c0 = state[in];
    c1 = state[in + 1];
  };
  for (int left = 10;;) {
    quarter_rounds(x0, x5, c0, x15, x1, x6, c1, x12);
    change(10, 8);
    quarter_rounds(x2, x7, c0, x13, x3, x4, c1, x14);
    if (--left == 0) break;
    quarter_rounds(x0, x4, c0, x12, x1, x5, c1, x13);
    change(8, 10);
    quarter_rounds(x2, x6, c0, x14, x3, x7, c1, x15);
  }
  const Words x[16] = {x0, x1, x2, x3, x4, x5, x6, x7, c0, c1, state[10], state[11], x12, x13, x14, x15};
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
