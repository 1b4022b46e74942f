// libsodium, ready for use.  Files of this room include this instead of <sodium.h> and call need_sodium() in front of
// anything that computes or draws random numbers.
#pragma once

#include <sodium.h>

#include <cstdlib>

namespace adit::crypto {

/// Sets libsodium up (it looks at the processor and opens the random device) the first time it is called, by whichever
/// thread; after that one load and one branch.  Without it nothing secret can be made, so failing ends the process.
inline void need_sodium() noexcept {
  [[maybe_unused]] static const bool ready = sodium_init() >= 0 || (std::abort(), false);
}

}  // namespace adit::crypto
