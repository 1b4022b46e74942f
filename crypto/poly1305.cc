#include "crypto/poly1305.h"

#include <cstring>

namespace adit::crypto {
namespace {

constexpr size_t kBlock = 16;
__extension__ using Wide = unsigned __int128;

/// low + 2^64 high + 2^128 top, not quite reduced modulo 2^130 - 5: top stays below 8.
struct Number {
  uint64_t low, high, top;
};

struct Multiplier {
  uint64_t low, high;
  uint64_t high_wrapped;  // r is clamped, its high half a multiple of 4: 5/4 of it stands for 2^128 times it
};

inline uint64_t upper(Wide value) noexcept { return static_cast<uint64_t>(value >> 64); }

/// h r + next.  `next` waits for nothing: it is added to the product while what goes beyond 2^130 is still on its way.
inline Number multiply_add(const Number& h, const Multiplier& r, const Number& next) noexcept {
  const Wide product_low = Wide{h.low} * r.low + Wide{h.high} * r.high_wrapped;
  const uint64_t product_top = h.top * r.high_wrapped;  // 3 bits and 61
  const Wide product_high = Wide{h.low} * r.high + Wide{h.high} * r.low + product_top + upper(product_low);
  const uint64_t top = h.top * r.low + upper(product_high);
  const Wide low = Wide{static_cast<uint64_t>(product_low)} + next.low;
  const Wide high = Wide{static_cast<uint64_t>(product_high)} + next.high + upper(low);
  const Wide all_low = Wide{static_cast<uint64_t>(low)} + ((top >> 2) + (top & ~uint64_t{3}));  // 5 (top / 4)
  const Wide all_high = Wide{static_cast<uint64_t>(high)} + upper(all_low);
  return {static_cast<uint64_t>(all_low), static_cast<uint64_t>(all_high),
          (top & 3) + next.top + upper(high) + upper(all_high)};
}

/// The first `size` bytes of a block, the others being zero; and the bit above.
inline Number load(const uint8_t* text, size_t size) noexcept {
  uint64_t block[2] = {};
  std::memcpy(block, text, size);
  return {block[0], block[1], 1};
}

}  // namespace

Tag poly1305_finish(uint64_t low, uint64_t high, uint64_t top, uint64_t s_low, uint64_t s_high) noexcept {
  // h + 5 reaches 2^130 exactly when h is not below the prime, which is at most once too big.
  const Wide plus5_low = Wide{low} + 5;
  const Wide plus5_high = Wide{high} + static_cast<uint64_t>(plus5_low >> 64);
  const uint64_t plus5_top = top + static_cast<uint64_t>(plus5_high >> 64);
  const uint64_t reduce = ~((plus5_top >> 2) - 1);  // all ones or none, for top is below 8
  const uint64_t reduced_low = (low & ~reduce) | (static_cast<uint64_t>(plus5_low) & reduce);
  const uint64_t reduced_high = (high & ~reduce) | (static_cast<uint64_t>(plus5_high) & reduce);
  const Wide tag_low = Wide{reduced_low} + s_low;
  return {static_cast<uint64_t>(tag_low), reduced_high + s_high + static_cast<uint64_t>(tag_low >> 64)};
}

Tag poly1305_aead_tag(const PolyKey& key, const uint8_t* text, size_t size) noexcept {
  Multiplier r{key.r_low & 0x0ffffffc0fffffff, key.r_high & 0x0ffffffc0ffffffc, 0};
  r.high_wrapped = r.high + (r.high >> 2);
  Number h{0, 0, 0};  // with the block that is to be multiplied next, when there is one
  size_t at = 0;
  for (; size - at >= kBlock; at += kBlock) h = multiply_add(h, r, load(text + at, kBlock));
  if (at < size) h = multiply_add(h, r, load(text + at, size - at));
  h = multiply_add(h, r, {0, size, 1});  // the lengths
  h = multiply_add(h, r, {0, 0, 0});
  return poly1305_finish(h.low, h.high, h.top, key.s_low, key.s_high);
}

uint64_t poly1305_agree(const Tag* tags, const uint8_t* const* texts, const uint64_t* sizes, size_t count) noexcept {
  uint64_t agree = 0;
  for (size_t i = 0; i < count; ++i) {
    Tag given;
    std::memcpy(&given, texts[i] + sizes[i], sizeof given);
    const uint64_t difference = (given.low ^ tags[i].low) | (given.high ^ tags[i].high);
    agree |= uint64_t{difference == 0} << i;
  }
  return agree;
}

}  // namespace adit::crypto
