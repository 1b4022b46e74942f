// KDF1, KDF2 and KDF3 of the WireGuard paper 5.4: HKDF (RFC 5869) with HMAC-BLAKE2s, `chaining_key` as salt.
#pragma once

#include <cstdint>
#include <span>

#include "crypto/blake2s.h"

namespace adit::crypto {

using HashOut = std::span<uint8_t, kHashSize>;

/// Outputs may be the memory of `chaining_key` or `input`: both are read before anything is written.
void kdf1(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input, HashOut out1) noexcept;
void kdf2(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input, HashOut out1, HashOut out2) noexcept;
void kdf3(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input, HashOut out1, HashOut out2,
          HashOut out3) noexcept;

}  // namespace adit::crypto
