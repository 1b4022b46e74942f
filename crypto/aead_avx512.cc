// The batch door on AVX-512: see aead_vector.h for the plan, the chacha and poly headers for the arithmetic.
#include "crypto/aead_vector.h"
#include "crypto/aead_x86.h"
#include "crypto/chacha_avx512.h"
#include "crypto/poly_avx512.h"

namespace adit::crypto {
namespace {

struct Avx512 {
  static constexpr size_t kWidth = 16;
  static constexpr size_t kPolyLanes = crypto::kPolyLanes;
  using Vector = __m512i;
  using Block = __m512i;
  using Poly = EightPolys;

  static Vector load_words(const uint32_t* words) { return _mm512_load_si512(words); }
  static Vector every_word(uint32_t word) { return _mm512_set1_epi32(static_cast<int32_t>(word)); }
  /// The low and the high words of sixteen numbers.
  static void load_numbers(const uint64_t* from, Vector& low, Vector& high) {
    const __m512i front = _mm512_load_si512(from), back = _mm512_load_si512(from + 8);
    const __m512i of = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    low = _mm512_permutex2var_epi32(front, of, back);
    high = _mm512_permutex2var_epi32(front, _mm512_add_epi32(of, every_word(1)), back);
  }
  /// Sixteen lanes: rising blocks of a message, one after the other from `at` on.
  static void write_lanes(uint32_t* message, uint32_t* counter, uint8_t** data, uint32_t of, uint32_t block,
                          uint8_t* at) {
    const __m512i rising = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i front = _mm512_add_epi64(_mm512_setr_epi64(0, 64, 128, 192, 256, 320, 384, 448),
                                           _mm512_set1_epi64(reinterpret_cast<int64_t>(at)));
    _mm512_storeu_si512(message, every_word(of));
    _mm512_storeu_si512(counter, _mm512_add_epi32(rising, every_word(block)));
    _mm512_storeu_si512(data, front);
    _mm512_storeu_si512(data + 8, _mm512_add_epi64(front, _mm512_set1_epi64(512)));
  }
  /// Lane i becomes the `of`[i]-th word of `table`.
  static Vector pick(Vector of, Vector table) { return _mm512_permutexvar_epi32(of, table); }

  static void quarter_round(Vector& a, Vector& b, Vector& c, Vector& d) { crypto::quarter_round(a, b, c, d); }
  static void rounds(const Vector (&initial)[16], Vector (&state)[16]) { chacha_rounds(initial, state); }
  static void rounds_of_two(const Vector (&initial)[2][16], Vector (&state)[2][16]) {
    chacha_rounds_of_two(initial, state);
  }

  template <typename Use>
  static void blocks(const Vector (&state)[16], Use use) {
    each_block(state, use);
  }
  static Block load(const uint8_t* from) { return _mm512_loadu_si512(from); }
  static void store(uint8_t* to, Block block) { _mm512_storeu_si512(to, block); }
  static void xor_whole(uint8_t* data, Block block) { store(data, _mm512_xor_si512(load(data), block)); }
  static void xor_some(uint8_t* data, Block block, size_t size) {
    const __mmask64 mask = _bzhi_u64(~uint64_t{0}, size);
    _mm512_mask_storeu_epi8(data, mask, _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, data), block));
  }

  /// Of lanes from `first` on, their state's words `word` and `word` + 1 as numbers of 64 bits.
  static Vector joined(const Vector (&state)[16], size_t word, size_t first) {
    const __m512i pairs = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i of = _mm512_add_epi32(pairs, every_word(static_cast<uint32_t>(first)));
    return _mm512_permutex2var_epi32(state[word], of, state[word + 1]);
  }
};

}  // namespace

void seal_avx512(const vector::Messages& messages, size_t count) noexcept { vector::seal<Avx512>(messages, count); }

vector::MessageBits open_avx512(const vector::Messages& messages, size_t count) noexcept {
  return vector::open<Avx512>(messages, count);
}

}  // namespace adit::crypto
