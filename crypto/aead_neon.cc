// The batch door on Advanced SIMD ("NEON"): see aead_vector.h for the plan, the chacha and poly headers for the
// arithmetic.
#include "crypto/aead_neon.h"

#include "crypto/aead_vector.h"
#include "crypto/chacha_neon.h"
#include "crypto/poly_neon.h"

namespace adit::crypto {
namespace {

struct Neon {
  static constexpr size_t kWidth = 4;
  static constexpr size_t kPolyLanes = crypto::kPolyLanes;
  using Vector = uint32x4_t;
  struct Block {
    uint8x16_t quarters[4];
  };
  using Poly = FourPolys;

  static Vector load_words(const uint32_t* words) { return vld1q_u32(words); }
  static Vector every_word(uint32_t word) { return vdupq_n_u32(word); }
  /// The low and the high words of four numbers.
  static void load_numbers(const uint64_t* from, Vector& low, Vector& high) {
    const Vector front = vreinterpretq_u32_u64(vld1q_u64(from)), back = vreinterpretq_u32_u64(vld1q_u64(from + 2));
    low = vuzp1q_u32(front, back);
    high = vuzp2q_u32(front, back);
  }
  /// Four lanes: rising blocks of a message, one after the other from `at` on.
  static void write_lanes(uint32_t* message, uint32_t* counter, uint8_t** data, uint32_t of, uint32_t block,
                          uint8_t* at) {
    alignas(16) static constexpr uint32_t kRising[4] = {0, 1, 2, 3};
    vst1q_u32(message, every_word(of));
    vst1q_u32(counter, vaddq_u32(vld1q_u32(kRising), every_word(block)));
    for (size_t i = 0; i < kWidth; ++i) data[i] = at + i * vector::kBlockSize;
  }
  /// Lane i becomes the `of`[i]-th word of `table`.
  static Vector pick(Vector of, Vector table) {
    const Vector bytes = vmlaq_u32(every_word(0x03020100), of, every_word(0x04040404));
    return vreinterpretq_u32_u8(vqtbl1q_u8(vreinterpretq_u8_u32(table), vreinterpretq_u8_u32(bytes)));
  }

  static void quarter_round(Vector& a, Vector& b, Vector& c, Vector& d) { crypto::quarter_round(a, b, c, d); }
  static void rounds(const Vector (&initial)[16], Vector (&state)[16]) { chacha_rounds<1>(&initial, &state); }
  static void rounds_of_two(const Vector (&initial)[2][16], Vector (&state)[2][16]) {
    chacha_rounds<2>(initial, state);
  }

  /// The blocks take the words' place: nothing of them is left anywhere else.
  template <typename Use>
  static void blocks(Vector (&state)[16], Use use) {
    for (size_t word = 0; word < 16; word += 4) transpose(state + word);
    for (size_t i = 0; i < kWidth; ++i) {
      use(i, Block{{vreinterpretq_u8_u32(state[i]), vreinterpretq_u8_u32(state[4 + i]),
                    vreinterpretq_u8_u32(state[8 + i]), vreinterpretq_u8_u32(state[12 + i])}});
    }
  }
  static void xor_whole(uint8_t* data, const Block& block) {
    for (size_t i = 0; i < 4; ++i) vst1q_u8(data + 16 * i, veorq_u8(vld1q_u8(data + 16 * i), block.quarters[i]));
  }
  /// Of the last sixteen bytes those behind `size` are the place of the tag: loaded, and stored as they were.
  static void xor_some(uint8_t* data, const Block& block, size_t size) {
    if (size == vector::kBlockSize) return xor_whole(data, block);
    for (size_t at = 0; at < size; at += 16) {
      const uint8x16_t used = first_bytes(size - at < 16 ? size - at : 16);
      vst1q_u8(data + at, veorq_u8(vld1q_u8(data + at), vandq_u8(block.quarters[at / 16], used)));
    }
  }

  /// All four lanes' words `word` and `word` + 1: Poly1305 takes the messages of a group in one part.
  static WordPairs joined(const Vector (&state)[16], size_t word, size_t) { return {state[word], state[word + 1]}; }
};

}  // namespace

void seal_neon(const vector::Messages& messages, size_t count) noexcept { vector::seal<Neon>(messages, count); }

vector::MessageBits open_neon(const vector::Messages& messages, size_t count) noexcept {
  return vector::open<Neon>(messages, count);
}

}  // namespace adit::crypto
