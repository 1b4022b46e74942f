// Explicit congestion notification through a tunnel (RFC 6040, normal mode): the two low bits of the traffic class.
#pragma once

#include <cstdint>

#include "net/bytes.h"

namespace adit {

enum class Ecn : uint8_t { kNotCapable = 0, kCapable1 = 1, kCapable0 = 2, kCongestion = 3 };

/// The bits of an IP packet, for the outer header; 0 for what is not one.
uint8_t ecn_of(ConstBytes packet) noexcept;

/// Brings into an IP packet what the outer header's bits say (the rest of `outer_tos` is not looked at), the IPv4
/// checksum included.  The packet has its fixed header.  False when it cannot carry the mark and must be dropped: its
/// sender would not learn of the congestion in any other way.
[[nodiscard]] bool adopt_outer_ecn(Bytes packet, uint8_t outer_tos) noexcept;

}  // namespace adit
