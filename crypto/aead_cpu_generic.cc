// Which implementations of the batch door there are on processors that have none of their own.
#include "crypto/aead_impl.h"

namespace adit::crypto {

std::span<const AeadImpl* const> available_implementations() noexcept {
  static constexpr const AeadImpl* kAll[] = {&kAeadSodium};
  return kAll;
}

}  // namespace adit::crypto
