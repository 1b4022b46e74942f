// ICMP (RFC 792) and ICMPv6 (RFC 4443) errors about packets that cannot be delivered.
#pragma once

#include "net/packet.h"

namespace adit {

/// Whether an error may be sent about an IP packet: it is whole and well-formed, from one host and for one host, the
/// first or only fragment, and not an error itself (RFC 1122 3.2.2, RFC 4443 2.4).
[[nodiscard]] bool may_be_answered_with_error(ConstBytes packet) noexcept;

/// Turns a packet for which that is so into the error that says "host unreachable" to its sender, quoting as much of it
/// as a minimal link carries whole (576 or 1280 bytes in all).  Needs 48 bytes of headroom.
///
/// The error's source is the address that could not be reached.  A host would put its own there, but this one is to
/// come in through a tun, and the kernel takes its own address, coming in from outside, for a forgery.
void make_host_unreachable(Packet& packet) noexcept;

}  // namespace adit
