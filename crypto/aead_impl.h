// What an implementation of the batch door is.  Only aead.cc, the aead_*.cc files, their tests and
// what measures them include this.
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

/// What this processor and its operating system can run, best first; kAeadSodium is always among them.
std::span<const AeadImpl* const> available_implementations() noexcept;

/// What encrypts nothing and authenticates nothing; null but in benchmark builds.  Never taken unless named.
const AeadImpl* null_implementation() noexcept;

}  // namespace adit::crypto
