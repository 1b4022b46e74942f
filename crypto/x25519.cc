#include "crypto/x25519.h"

#include "crypto/sodium.h"

namespace adit::crypto {

static_assert(kKeySize == crypto_scalarmult_BYTES && kKeySize == crypto_scalarmult_SCALARBYTES);

PublicKey public_key_of(const PrivateKey& key) noexcept {
  need_sodium();
  PublicKey result;
  crypto_scalarmult_base(result.bytes.data(), key.bytes().data());
  return result;
}

bool exchange(const PrivateKey& ours, const PublicKey& theirs, SharedSecret& out) noexcept {
  need_sodium();
  if (crypto_scalarmult(out.bytes().data(), ours.bytes().data(), theirs.bytes.data()) == 0) return true;
  out.clear();  // refused early, libsodium leaves what was there
  return false;
}

}  // namespace adit::crypto
