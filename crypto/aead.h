// ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 as WireGuard uses them.
//
// Two doors.  The batch door is the packet path's: independent jobs, in place, each owning its memory, so that an
// implementation may work on many packets at once.  The single door is the handshake's: with associated data, from
// one buffer to another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "crypto/keys.h"

namespace adit::crypto {

inline constexpr size_t kTagSize = 16;
inline constexpr size_t kXNonceSize = 24;

/// The last kTagSize bytes of `text_and_tag` are the tag's place, the bytes before them are sealed or opened in place.
/// The nonce is the paper's: four zero bytes, then the counter little-endian.  No associated data.
struct SealJob {
  const SymmetricKey* key;
  uint64_t nonce;
  std::span<uint8_t> text_and_tag;
};
struct OpenJob {
  const SymmetricKey* key;
  uint64_t nonce;
  std::span<uint8_t> text_and_tag;
  bool ok;  // set by open_batch(); when false the text must not be used
};

/// `text_and_tag` of every job has at least kTagSize bytes.
void seal_batch(std::span<const SealJob> jobs) noexcept;
void open_batch(std::span<OpenJob> jobs) noexcept;
/// Which implementation stands behind the batch door, for people: "avx512".  It is chosen at the first use: the one
/// that the environment's ADIT_AEAD names, or, without that or when this processor does not have it, the best.
std::string_view aead_name() noexcept;

/// Seals `text` into `out`, which is kTagSize longer; they may start at the same byte.
void seal(const SymmetricKey& key, uint64_t nonce, std::span<const uint8_t> associated, std::span<const uint8_t> text,
          std::span<uint8_t> out) noexcept;
/// Opens `sealed` into `out`, which is kTagSize shorter.  False, and `out` not to be used, when the tag is wrong.
[[nodiscard]] bool open(const SymmetricKey& key, uint64_t nonce, std::span<const uint8_t> associated,
                        std::span<const uint8_t> sealed, std::span<uint8_t> out) noexcept;

/// The same with XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha), for cookies.
void xseal(const SymmetricKey& key, std::span<const uint8_t, kXNonceSize> nonce, std::span<const uint8_t> associated,
           std::span<const uint8_t> text, std::span<uint8_t> out) noexcept;
[[nodiscard]] bool xopen(const SymmetricKey& key, std::span<const uint8_t, kXNonceSize> nonce,
                         std::span<const uint8_t> associated, std::span<const uint8_t> sealed,
                         std::span<uint8_t> out) noexcept;

}  // namespace adit::crypto
