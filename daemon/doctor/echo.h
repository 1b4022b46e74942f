// ICMP echo messages as bytes (RFC 792, RFC 4443 4).  Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "net/bytes.h"

namespace adit::doctor {

/// Bytes of an IP header without options.
constexpr size_t ip_header_size(bool v4) noexcept { return v4 ? 20 : 40; }
/// The smallest packet that has room for what tells it from others.
inline constexpr uint16_t kSmallestEcho = 64;

/// A request of which the whole IP packet has `size` bytes, at least kSmallestEcho.  `mark` is in its payload, so that
/// no other ping's answers are taken for its own.  ICMPv6's checksum is left to the kernel, which knows the addresses.
std::vector<uint8_t> echo_request(bool v4, uint16_t size, uint64_t mark);

/// Which size's request a received message answers, if it answers one of this mark.  Errors quote requests, and are
/// none: an answer has exactly its request's length and payload.
std::optional<uint16_t> answered_size(ConstBytes message, bool v4, uint64_t mark);

}  // namespace adit::doctor
