// Which implementations of the batch door a 64-bit Arm processor has: Advanced SIMD is part of all of them.
#include "crypto/aead_kernel.h"
#include "crypto/aead_neon.h"

namespace adit::crypto {
namespace {

// By instructions counted under emulation: one of up to 64 bytes, two blocks, takes 0.7 of libsodium's, which a
// processor can do side by side more of than of vector instructions; from 65 bytes on it is half, or little more.
bool good_alone_neon(size_t size) noexcept { return size > 64; }

constexpr Kernel kNeon = {seal_neon, open_neon, good_alone_neon};
constexpr AeadImpl kAeadNeon = {.name = "neon", .seal_batch = seal_with<kNeon>, .open_batch = open_with<kNeon>};

}  // namespace

std::span<const AeadImpl* const> available_implementations() noexcept {
  static constexpr const AeadImpl* kAll[] = {&kAeadNeon, &kAeadSodium};
  return kAll;
}

}  // namespace adit::crypto
