// ICMP (RFC 792) and ICMPv6 (RFC 4443) errors that come back for UDP datagrams.  Pure functions on bytes.
#pragma once

#include <cstdint>
#include <optional>

#include "net/addr.h"
#include "net/bytes.h"

namespace adit {

struct IcmpError {
  enum class Kind : uint8_t {
    kPortUnreachable,  // the host is there, and nobody at that port (or no UDP at all)
    kHostUnreachable,  // no way there, or not permitted
    kTooBig,           // did not fit a link, and could not be cut there
  };

  Kind kind;
  uint32_t mtu;          // kTooBig: of that link, for a whole IP packet; else 0
  Endpoint source;       // of the datagram the error is about
  Endpoint destination;  // where it was to go
};

/// What an IP packet says when it is such an error, for the sender of the UDP datagram it quotes.  Its checksums are
/// right and its lengths fit, as far as it quotes: IP header and 8 bytes are enough (RFC 792), of a first or only
/// fragment.  Anybody may have made it up, so the endpoints must be found in use before anything is believed.
/// Empty for everything else; for an MTU below 68 or, of IPv6, 1280, which no link may have (RFC 1191 3, RFC 8201 4);
/// and for one into which the packet fits: what a sender has found out is never to grow by an error (RFC 1191 3).
std::optional<IcmpError> icmp_error(ConstBytes packet) noexcept;

}  // namespace adit
