// The rounds of ChaCha20 on sixteen blocks, or twice sixteen, in assembler.  Only chacha_avx512.h includes this, and
// only this has what cannot be said in C++; the one branch counts rounds.
#pragma once

#include <immintrin.h>

namespace adit::crypto {
namespace {

using Words = __m512i;  // sixteen blocks' n-th word

// The other rounds and the final addition, in assembler because two states are all thirty-two registers: both
// compilers would spill some of them in the middle of the loop, which costs a sixth of the speed.  A round of one state
// and then a round of the other: each fills the time the other's instructions take to finish.
#define ADIT_ADD(a, b) "vpaddd %%zmm" #b ", %%zmm" #a ", %%zmm" #a "\n"
#define ADIT_XOR(a, b) "vpxord %%zmm" #b ", %%zmm" #a ", %%zmm" #a "\n"
#define ADIT_ROTATE(a, bits) "vprold $" #bits ", %%zmm" #a ", %%zmm" #a "\n"
// clang-format off
#define ADIT_QUARTERS(a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3, bits) \
  ADIT_ADD(a0, b0) ADIT_ADD(a1, b1) ADIT_ADD(a2, b2) ADIT_ADD(a3, b3) \
  ADIT_XOR(d0, a0) ADIT_XOR(d1, a1) ADIT_XOR(d2, a2) ADIT_XOR(d3, a3) \
  ADIT_ROTATE(d0, bits) ADIT_ROTATE(d1, bits) ADIT_ROTATE(d2, bits) ADIT_ROTATE(d3, bits)
#define ADIT_ROUND(a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3) \
  ADIT_QUARTERS(a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3, 16)                \
  ADIT_QUARTERS(c0, c1, c2, c3, d0, d1, d2, d3, b0, b1, b2, b3, 12)                \
  ADIT_QUARTERS(a0, a1, a2, a3, b0, b1, b2, b3, d0, d1, d2, d3, 8)                 \
  ADIT_QUARTERS(c0, c1, c2, c3, d0, d1, d2, d3, b0, b1, b2, b3, 7)
#define ADIT_LOAD(i) "vmovdqa64 " #i "*64(%[state]), %%zmm" #i "\n"
#define ADIT_ADD_AND_STORE(i) \
  "vpaddd " #i "*64(%[initial]), %%zmm" #i ", %%zmm" #i "\n" \
  "vmovdqa64 %%zmm" #i ", " #i "*64(%[state])\n"
// clang-format on
#define ADIT_EACH_OF_FIRST(DO) \
  DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11) DO(12) DO(13) DO(14) DO(15)
#define ADIT_EACH_OF_SECOND(DO) \
  DO(16) DO(17) DO(18) DO(19) DO(20) DO(21) DO(22) DO(23) DO(24) DO(25) DO(26) DO(27) DO(28) DO(29) DO(30) DO(31)
#define ADIT_COLUMNS_OF_FIRST ADIT_ROUND(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
#define ADIT_DIAGONALS_OF_FIRST ADIT_ROUND(0, 1, 2, 3, 5, 6, 7, 4, 10, 11, 8, 9, 15, 12, 13, 14)
#define ADIT_COLUMNS_OF_SECOND ADIT_ROUND(16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31)
#define ADIT_DIAGONALS_OF_SECOND ADIT_ROUND(16, 17, 18, 19, 21, 22, 23, 20, 26, 27, 24, 25, 31, 28, 29, 30)
#define ADIT_REGISTERS_OF_FIRST                                                                                       \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", \
      "xmm14", "xmm15"
#define ADIT_REGISTERS_OF_SECOND                                                                                       \
  "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", \
      "xmm29", "xmm30", "xmm31"

/// `state` is where the first round's columns are done, and becomes the blocks' words.
inline void chacha_rounds(const Words (&initial)[16], Words (&state)[16]) {
  int double_rounds = 10;
  asm volatile(ADIT_EACH_OF_FIRST(ADIT_LOAD)
               "jmp 2f\n"
               ".p2align 6\n"
               "1:\n"
               ADIT_COLUMNS_OF_FIRST
               "2:\n"
               ADIT_DIAGONALS_OF_FIRST
               "decl %[left]\n"
               "jnz 1b\n"
               ADIT_EACH_OF_FIRST(ADIT_ADD_AND_STORE)
               : [left] "+r"(double_rounds), "+m"(state)
               : [initial] "r"(&initial), [state] "r"(&state), "m"(initial)
               : "cc", ADIT_REGISTERS_OF_FIRST);
}

inline void chacha_rounds_of_two(const Words (&initial)[2][16], Words (&state)[2][16]) {
  int double_rounds = 10;
  asm volatile(ADIT_EACH_OF_FIRST(ADIT_LOAD) ADIT_EACH_OF_SECOND(ADIT_LOAD)
               "jmp 2f\n"
               ".p2align 6\n"
               "1:\n"
               ADIT_COLUMNS_OF_FIRST ADIT_COLUMNS_OF_SECOND
               "2:\n"
               ADIT_DIAGONALS_OF_FIRST ADIT_DIAGONALS_OF_SECOND
               "decl %[left]\n"
               "jnz 1b\n"
               ADIT_EACH_OF_FIRST(ADIT_ADD_AND_STORE) ADIT_EACH_OF_SECOND(ADIT_ADD_AND_STORE)
               : [left] "+r"(double_rounds), "+m"(state)
               : [initial] "r"(&initial), [state] "r"(&state), "m"(initial)
               : "cc", ADIT_REGISTERS_OF_FIRST, ADIT_REGISTERS_OF_SECOND);
}

#undef ADIT_ADD
#undef ADIT_XOR
#undef ADIT_ROTATE
#undef ADIT_QUARTERS
#undef ADIT_ROUND
#undef ADIT_LOAD
#undef ADIT_ADD_AND_STORE
#undef ADIT_EACH_OF_FIRST
#undef ADIT_EACH_OF_SECOND
#undef ADIT_COLUMNS_OF_FIRST
#undef ADIT_DIAGONALS_OF_FIRST
#undef ADIT_COLUMNS_OF_SECOND
#undef ADIT_DIAGONALS_OF_SECOND
#undef ADIT_REGISTERS_OF_FIRST
#undef ADIT_REGISTERS_OF_SECOND

}  // namespace
}  // namespace adit::crypto
