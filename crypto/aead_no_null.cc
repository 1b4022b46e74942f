// For every build but those with ADIT_BENCH, which have bench/aead_null.cc.
#include "crypto/aead_impl.h"

namespace adit::crypto {

const AeadImpl* null_implementation() noexcept { return nullptr; }

}  // namespace adit::crypto
