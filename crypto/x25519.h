// X25519 (RFC 7748).
#pragma once

#include "crypto/keys.h"

namespace adit::crypto {

PublicKey public_key_of(const PrivateKey& key) noexcept;

/// The exchange of our key with theirs.  False, and `out` all zero, when the result is all zero (their key is a point
/// of low order): the handshake must then be given up (WireGuard paper 5.4; RFC 7748 6.1).
[[nodiscard]] bool exchange(const PrivateKey& ours, const PublicKey& theirs, SharedSecret& out) noexcept;

}  // namespace adit::crypto
