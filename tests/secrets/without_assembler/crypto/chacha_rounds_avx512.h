// What crypto/chacha_rounds_avx512.h does, in C++: a checker that follows data does not follow it through assembler.
#pragma once

#include <immintrin.h>

namespace adit::crypto {
namespace {

using Words = __m512i;

inline void quarter_round(Words& a, Words& b, Words& c, Words& d);

inline void chacha_rounds(const Words (&initial)[16], Words (&state)[16]) {
  for (int left = 10;;) {
    for (int i = 0; i < 4; ++i) {
      quarter_round(state[i], state[4 + (i + 1) % 4], state[8 + (i + 2) % 4], state[12 + (i + 3) % 4]);
    }
    if (--left == 0) break;
    for (int i = 0; i < 4; ++i) quarter_round(state[i], state[4 + i], state[8 + i], state[12 + i]);
  }
  for (int i = 0; i < 16; ++i) state[i] = _mm512_add_epi32(state[i], initial[i]);
}

inline void chacha_rounds_of_two(const Words (&initial)[2][16], Words (&state)[2][16]) {
  chacha_rounds(initial[0], state[0]);
  chacha_rounds(initial[1], state[1]);
}

}  // namespace
}  // namespace adit::crypto
