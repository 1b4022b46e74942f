// The batch door on AVX2: see aead_vector.h for the plan, the chacha and poly headers for the arithmetic.
#include "crypto/aead_vector.h"
#include "crypto/aead_x86.h"
#include "crypto/chacha_avx2.h"
#include "crypto/poly_avx2.h"

namespace adit::crypto {
namespace {

struct Avx2 {
  static constexpr size_t kWidth = 8;
  static constexpr size_t kPolyLanes = crypto::kPolyLanes;
  using Vector = __m256i;
  struct Block {
    __m256i front, back;
  };
  using Poly = FourPolys;

  static Vector load_words(const uint32_t* words) { return _mm256_load_si256(reinterpret_cast<const __m256i*>(words)); }
  static Vector every_word(uint32_t word) { return _mm256_set1_epi32(static_cast<int32_t>(word)); }
  /// Lane i becomes the `of`[i]-th word of `table`.
  static Vector pick(Vector of, Vector table) { return _mm256_permutevar8x32_epi32(table, of); }

  static void rounds(const Vector (&initial)[16], Vector (&out)[16]) { chacha_rounds(initial, out); }
  static void rounds_of_two(const Vector (&initial)[2][16], Vector (&out)[2][16]) {
    chacha_rounds(initial[0], out[0]);
    chacha_rounds(initial[1], out[1]);
  }

  template <typename Use>
  static void blocks(const Vector (&state)[16], Use use) {
    __m256i front[8], back[8];
    transpose(state, front);
    transpose(state + 8, back);
    for (size_t i = 0; i < 8; ++i) use(i, Block{front[i], back[i]});
  }
  static Block load(const uint8_t* from) { return {load_half(from), load_half(from + 32)}; }
  static void store(uint8_t* to, const Block& block) {
    store_half(to, block.front);
    store_half(to + 32, block.back);
  }
  static void xor_whole(uint8_t* data, const Block& block) {
    store_half(data, _mm256_xor_si256(load_half(data), block.front));
    store_half(data + 32, _mm256_xor_si256(load_half(data + 32), block.back));
  }
  static void xor_some(uint8_t* data, const uint8_t* block, size_t size) {
    alignas(32) uint8_t copy[vector::kBlockSize] = {};
    __builtin_memcpy(copy, data, size);
    xor_whole(copy, load(block));
    __builtin_memcpy(data, copy, size);
  }

  /// Of lanes from `first` on, their state's words `word` and `word` + 1 as numbers of 64 bits.
  static Vector joined(const Vector (&state)[16], size_t word, size_t first) {
    const __m256i low = _mm256_unpacklo_epi32(state[word], state[word + 1]);   // lanes 0, 1, 4, 5
    const __m256i high = _mm256_unpackhi_epi32(state[word], state[word + 1]);  // lanes 2, 3, 6, 7
    return first == 0 ? _mm256_permute2x128_si256(low, high, 0x20) : _mm256_permute2x128_si256(low, high, 0x31);
  }

 private:
  static __m256i load_half(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)); }
  static void store_half(uint8_t* to, __m256i half) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), half); }
};

}  // namespace

void seal_avx2(const vector::Message* messages, size_t count) noexcept { vector::seal<Avx2>(messages, count); }

vector::MessageBits open_avx2(const vector::Message* messages, size_t count) noexcept {
  return vector::open<Avx2>(messages, count);
}

}  // namespace adit::crypto
