// For processors without implementations of our own.
#include <array>

#include "crypto/aead_impl.h"

namespace adit::crypto {

std::span<const AeadImpl* const> aead_implementations() {
  static constexpr std::array<const AeadImpl*, 1> kFound = {&kAeadSodium};
  return kFound;
}

}  // namespace adit::crypto
