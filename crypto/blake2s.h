// BLAKE2s (RFC 7693), plain and keyed.  libsodium has only BLAKE2b.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>

namespace adit::crypto {

inline constexpr size_t kHashSize = 32;
using Hash = std::array<uint8_t, kHashSize>;
inline constexpr size_t kMacSize = 16;
using Mac = std::array<uint8_t, kMacSize>;

/// Incremental hashing; the state wipes itself.
class Blake2s {
 public:
  /// `digest_size` 1..32 bytes, `key` 0..32 bytes.
  explicit Blake2s(size_t digest_size = kHashSize, std::span<const uint8_t> key = {}) noexcept;
  Blake2s(const Blake2s&) noexcept = default;
  Blake2s& operator=(const Blake2s&) noexcept = default;
  ~Blake2s();

  Blake2s& update(std::span<const uint8_t> data) noexcept;
  /// Writes digest_size bytes to `out`; the object is used up.
  void finish(std::span<uint8_t> out) noexcept;

 private:
  void compress(const uint8_t* block, bool last) noexcept;

  std::array<uint32_t, 8> state_;
  std::array<uint8_t, 64> buffer_;
  uint64_t count_ = 0;  // bytes compressed so far
  size_t buffered_ = 0;
  size_t digest_size_;
};

/// HASH of the paper: of the concatenation of the parts.
Hash blake2s(std::initializer_list<std::span<const uint8_t>> parts) noexcept;
/// MAC of the paper: keyed BLAKE2s with 16 bytes of output.
Mac blake2s_mac(std::span<const uint8_t> key, std::initializer_list<std::span<const uint8_t>> parts) noexcept;
/// HMAC-BLAKE2s (RFC 2104), the building block of the KDF.
Hash hmac_blake2s(std::span<const uint8_t> key, std::initializer_list<std::span<const uint8_t>> parts) noexcept;

}  // namespace adit::crypto
