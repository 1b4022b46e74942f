#include "crypto/kdf.h"

#include <algorithm>
#include <initializer_list>

#include "crypto/keys.h"

namespace adit::crypto {
namespace {

/// T1 = HMAC(T0, 1) and T[n] = HMAC(T0, T[n-1] || n), where T0 = HMAC(chaining_key, input).
void derive(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input,
            std::initializer_list<HashOut> outs) noexcept {
  Hash secret = hmac_blake2s(chaining_key, {input});
  std::span<const uint8_t> previous;
  uint8_t number = 0;
  for (const HashOut out : outs) {
    ++number;
    Hash derived = hmac_blake2s(secret, {previous, {&number, 1}});
    std::ranges::copy(derived, out.begin());
    wipe(derived);
    previous = out;
  }
  wipe(secret);
}

}  // namespace

void kdf1(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input, HashOut out1) noexcept {
  derive(chaining_key, input, {out1});
}

void kdf2(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input, HashOut out1, HashOut out2) noexcept {
  derive(chaining_key, input, {out1, out2});
}

void kdf3(std::span<const uint8_t> chaining_key, std::span<const uint8_t> input, HashOut out1, HashOut out2,
          HashOut out3) noexcept {
  derive(chaining_key, input, {out1, out2, out3});
}

}  // namespace adit::crypto
