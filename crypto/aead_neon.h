// The vector implementation that every 64-bit Arm processor has.
#pragma once

#include "crypto/aead_lanes.h"

namespace adit::crypto {

/// `count` is at most vector::kMostMessages.
void seal_neon(const vector::Messages& messages, size_t count) noexcept;
vector::MessageBits open_neon(const vector::Messages& messages, size_t count) noexcept;

}  // namespace adit::crypto
