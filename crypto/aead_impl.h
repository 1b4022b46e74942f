// What an implementation of the batch door is.  Only aead.cc, the aead_*.cc files and tests include this.
#pragma once

#include <span>
#include <string_view>

#include "crypto/aead.h"

namespace adit::crypto {

struct AeadImpl {
  std::string_view name;
  void (*seal_batch)(std::span<const SealJob>) noexcept;
  void (*open_batch)(std::span<OpenJob>) noexcept;
};

extern const AeadImpl kAeadSodium;

/// What this processor and system have, best first; libsodium's is always among them.
std::span<const AeadImpl* const> aead_implementations();

}  // namespace adit::crypto
