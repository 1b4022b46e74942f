#include "crypto/random.h"

#include "crypto/sodium.h"

namespace adit::crypto {

void random_bytes(std::span<uint8_t> out) noexcept {
  need_sodium();
  randombytes_buf(out.data(), out.size());
}

uint32_t random_u32() noexcept {
  need_sodium();
  return randombytes_random();
}

uint64_t random_u64() noexcept { return uint64_t{random_u32()} << 32 | random_u32(); }

}  // namespace adit::crypto
