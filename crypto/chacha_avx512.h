// ChaCha20 (RFC 8439) on sixteen blocks at a time, one in each 32-bit lane.  Only aead_avx512.cc includes this.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

#include "crypto/chacha_rounds_avx512.h"

namespace adit::crypto {
namespace {

inline void quarter_round(Words& a, Words& b, Words& c, Words& d) {
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 16);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 12);
  a = _mm512_add_epi32(a, b);
  d = _mm512_rol_epi32(_mm512_xor_si512(d, a), 8);
  c = _mm512_add_epi32(c, d);
  b = _mm512_rol_epi32(_mm512_xor_si512(b, c), 7);
}

struct Pairs {
  Words even, odd;  // two words of each even and of each odd block
};

/// Shifts, because the one port that shuffles has enough to do with all that follows.
inline Pairs pairs_of(Words first, Words second) {
  const Words swapped = _mm512_rol_epi64(second, 32);
  return {_mm512_mask_mov_epi32(first, 0xaaaa, swapped), _mm512_shrdi_epi64(first, swapped, 32)};
}

/// From words across lanes to blocks: gives `use(lane, block)` the sixteen blocks of a state.
template <typename Use>
void each_block(const Words (&state)[16], Use use) {
  Words quads[16];  // [4 * i + j]: words 4i to 4i+3 of the blocks j, j+4, j+8 and j+12
  for (int i = 0; i < 16; i += 4) {
    const Pairs words01 = pairs_of(state[i], state[i + 1]);
    const Pairs words23 = pairs_of(state[i + 2], state[i + 3]);
    quads[i] = _mm512_unpacklo_epi64(words01.even, words23.even);
    quads[i + 1] = _mm512_unpacklo_epi64(words01.odd, words23.odd);
    quads[i + 2] = _mm512_unpackhi_epi64(words01.even, words23.even);
    quads[i + 3] = _mm512_unpackhi_epi64(words01.odd, words23.odd);
  }
  for (size_t j = 0; j < 4; ++j) {
    const Words front_low = _mm512_shuffle_i64x2(quads[j], quads[4 + j], 0x44);  // blocks j and j+4
    const Words front_high = _mm512_shuffle_i64x2(quads[8 + j], quads[12 + j], 0x44);
    const Words back_low = _mm512_shuffle_i64x2(quads[j], quads[4 + j], 0xee);  // blocks j+8 and j+12
    const Words back_high = _mm512_shuffle_i64x2(quads[8 + j], quads[12 + j], 0xee);
    use(j, _mm512_shuffle_i64x2(front_low, front_high, 0x88));
    use(j + 4, _mm512_shuffle_i64x2(front_low, front_high, 0xdd));
    use(j + 8, _mm512_shuffle_i64x2(back_low, back_high, 0x88));
    use(j + 12, _mm512_shuffle_i64x2(back_low, back_high, 0xdd));
  }
}

}  // namespace
}  // namespace adit::crypto
