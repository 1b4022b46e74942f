#include "crypto/poly1305.h"

#include <cstring>

namespace adit::crypto {
namespace {

constexpr size_t kBlock = 16;
__extension__ using Wide = unsigned __int128;

/// h = low + 2^64 high + 2^128 top, not quite reduced modulo 2^130 - 5: top stays below 8.
struct Accumulator {
  uint64_t low = 0;
  uint64_t high = 0;
  uint64_t top = 0;
};

/// h = (h + block) r.  r is clamped: the high half is a multiple of 4, so `r_high_wrapped`, which is 5/4 of it, stands
/// for 2^128 times it.
inline void absorb(Accumulator& h, uint64_t block_low, uint64_t block_high, uint64_t r_low, uint64_t r_high,
                   uint64_t r_high_wrapped) noexcept {
  const Wide sum_low = Wide{h.low} + block_low;
  const Wide sum_high = Wide{h.high} + block_high + static_cast<uint64_t>(sum_low >> 64);
  const auto h0 = static_cast<uint64_t>(sum_low);
  const auto h1 = static_cast<uint64_t>(sum_high);
  const uint64_t h2 = h.top + static_cast<uint64_t>(sum_high >> 64) + 1;  // the 1 is the bit above the block

  const Wide product_low = Wide{h0} * r_low + Wide{h1} * r_high_wrapped;
  const Wide product_high =
      Wide{h0} * r_high + Wide{h1} * r_low + Wide{h2} * r_high_wrapped + static_cast<uint64_t>(product_low >> 64);
  const uint64_t top = h2 * r_low + static_cast<uint64_t>(product_high >> 64);

  const Wide low = Wide{static_cast<uint64_t>(product_low)} + (top >> 2) + (top & ~uint64_t{3});  // 5 (top / 4)
  const Wide high = Wide{static_cast<uint64_t>(product_high)} + static_cast<uint64_t>(low >> 64);
  h = {static_cast<uint64_t>(low), static_cast<uint64_t>(high), (top & 3) + static_cast<uint64_t>(high >> 64)};
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
  const uint64_t r_low = key.r_low & 0x0ffffffc0fffffff;
  const uint64_t r_high = key.r_high & 0x0ffffffc0ffffffc;
  const uint64_t r_high_wrapped = r_high + (r_high >> 2);
  Accumulator h;
  uint64_t block[2];
  size_t at = 0;
  for (; size - at >= kBlock; at += kBlock) {
    std::memcpy(block, text + at, kBlock);
    absorb(h, block[0], block[1], r_low, r_high, r_high_wrapped);
  }
  if (at < size) {
    block[0] = block[1] = 0;
    std::memcpy(block, text + at, size - at);
    absorb(h, block[0], block[1], r_low, r_high, r_high_wrapped);
  }
  absorb(h, 0, size, r_low, r_high, r_high_wrapped);
  return poly1305_finish(h.low, h.high, h.top, key.s_low, key.s_high);
}

}  // namespace adit::crypto
