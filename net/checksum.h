// The Internet checksum (RFC 1071), in parts: add the pieces, then finish.
#pragma once

#include <cstdint>

#include "net/bytes.h"

namespace adit {

/// Adds bytes to a running sum.  Every piece but the last must have an even number of bytes.
uint64_t checksum_add(uint64_t sum, ConstBytes bytes) noexcept;

/// The checksum of all that was added, in host order (0 over data that carries a right checksum).
uint16_t checksum_finish(uint64_t sum) noexcept;

}  // namespace adit
