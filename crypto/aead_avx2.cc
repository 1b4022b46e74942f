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
  /// The low and the high words of eight numbers.
  static void load_numbers(const uint64_t* from, Vector& low, Vector& high) {
    const __m256i in_order = _mm256_setr_epi32(0, 1, 4, 5, 2, 3, 6, 7);
    const __m256i front = load_half(from), back = load_half(from + 4);
    const __m256i front_halves = _mm256_shuffle_epi32(front, 0xd8);  // in each half: low, low, high, high
    const __m256i back_halves = _mm256_shuffle_epi32(back, 0xd8);
    low = _mm256_permutevar8x32_epi32(_mm256_unpacklo_epi64(front_halves, back_halves), in_order);
    high = _mm256_permutevar8x32_epi32(_mm256_unpackhi_epi64(front_halves, back_halves), in_order);
  }
  /// Eight lanes: rising blocks of a message, one after the other from `at` on.
  static void write_lanes(uint32_t* message, uint32_t* counter, uint8_t** data, uint32_t of, uint32_t block,
                          uint8_t* at) {
    const __m256i front =
        _mm256_add_epi64(_mm256_set_epi64x(192, 128, 64, 0), _mm256_set1_epi64x(reinterpret_cast<int64_t>(at)));
    store_half(message, every_word(of));
    store_half(counter, _mm256_add_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), every_word(block)));
    store_half(data, front);
    store_half(data + 4, _mm256_add_epi64(front, _mm256_set1_epi64x(256)));
  }
  /// Lane i becomes the `of`[i]-th word of `table`.
  static Vector pick(Vector of, Vector table) { return _mm256_permutevar8x32_epi32(table, of); }

  static void quarter_round(Vector& a, Vector& b, Vector& c, Vector& d) { crypto::quarter_round(a, b, c, d); }
  static void rounds(const Vector (&initial)[16], Vector (&state)[16]) { chacha_rounds(initial, state); }
  static void rounds_of_two(const Vector (&initial)[2][16], Vector (&state)[2][16]) {
    chacha_rounds(initial[0], state[0]);
    chacha_rounds(initial[1], state[1]);
  }

  /// The blocks take the words' place: nothing of them is left anywhere else.
  template <typename Use>
  static void blocks(Vector (&state)[16], Use use) {
    transpose(state);
    transpose(state + 8);
    for (size_t i = 0; i < 8; ++i) use(i, Block{state[i], state[8 + i]});
  }
  static void xor_whole(uint8_t* data, const Block& block) {
    store_half(data, _mm256_xor_si256(load_half(data), block.front));
    store_half(data + 32, _mm256_xor_si256(load_half(data + 32), block.back));
  }
  /// Of the last sixteen bytes those behind `size` are the place of the tag: loaded, and stored as they were.
  static void xor_some(uint8_t* data, const Block& block, size_t size) {
    if (size == vector::kBlockSize) return xor_whole(data, block);
    const __m128i quarters[] = {_mm256_castsi256_si128(block.front), _mm256_extracti128_si256(block.front, 1),
                                _mm256_castsi256_si128(block.back), _mm256_extracti128_si256(block.back, 1)};
    for (size_t at = 0; at < size; at += 16) {
      auto* const place = reinterpret_cast<__m128i*>(data + at);
      const __m128i used = first_bytes(size - at < 16 ? size - at : 16);
      _mm_storeu_si128(place, _mm_xor_si128(_mm_loadu_si128(place), _mm_and_si128(quarters[at / 16], used)));
    }
  }

  /// Of lanes from `first` on, their state's words `word` and `word` + 1 as numbers of 64 bits.
  static Vector joined(const Vector (&state)[16], size_t word, size_t first) {
    const __m256i low = _mm256_unpacklo_epi32(state[word], state[word + 1]);   // lanes 0, 1, 4, 5
    const __m256i high = _mm256_unpackhi_epi32(state[word], state[word + 1]);  // lanes 2, 3, 6, 7
    return first == 0 ? _mm256_permute2x128_si256(low, high, 0x20) : _mm256_permute2x128_si256(low, high, 0x31);
  }

 private:
  static __m256i load_half(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
  static void store_half(void* to, __m256i half) { _mm256_storeu_si256(static_cast<__m256i*>(to), half); }
};

}  // namespace

void seal_avx2(const vector::Messages& messages, size_t count) noexcept { vector::seal<Avx2>(messages, count); }

vector::MessageBits open_avx2(const vector::Messages& messages, size_t count) noexcept {
  return vector::open<Avx2>(messages, count);
}

}  // namespace adit::crypto
