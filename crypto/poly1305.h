// Poly1305 (RFC 8439 section 2.5) of one message, for when there are no others to fill a vector's lanes with.
#pragma once

#include <cstddef>
#include <cstdint>

namespace adit::crypto {

struct Tag {
  uint64_t low;
  uint64_t high;
};

/// r before clamping, then s, as the first ChaCha20 block has them.
struct PolyKey {
  uint64_t r_low, r_high;
  uint64_t s_low, s_high;
};

/// The tag from the hash so far, low + 2^64 high + 2^128 top, which is below 2^131 and need not be reduced.
Tag poly1305_finish(uint64_t low, uint64_t high, uint64_t top, uint64_t s_low, uint64_t s_high) noexcept;

/// The tag of a ciphertext without associated data, as the AEAD frames it (RFC 8439 section 2.8).
Tag poly1305_aead_tag(const PolyKey& key, const uint8_t* text, size_t size) noexcept;

/// A bit for each of `count` messages whose tag, which follows its text, is ours; at most 64.  The bits are public and
/// may be branched on; where tags differ stays here.
uint64_t poly1305_agree(const Tag* tags, const uint8_t* const* texts, const uint64_t* sizes, size_t count) noexcept;

}  // namespace adit::crypto
