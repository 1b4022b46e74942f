// The vector implementations that an x86-64 processor may have.
#pragma once

#include "crypto/aead_lanes.h"

namespace adit::crypto {

/// `count` is at most vector::kMostMessages.
void seal_avx512(const vector::Messages& messages, size_t count) noexcept;
vector::MessageBits open_avx512(const vector::Messages& messages, size_t count) noexcept;
void seal_avx2(const vector::Messages& messages, size_t count) noexcept;
vector::MessageBits open_avx2(const vector::Messages& messages, size_t count) noexcept;

}  // namespace adit::crypto
