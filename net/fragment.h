// Fragments of IP packets (RFC 791 3.2, RFC 8200 4.5).  Pure functions on bytes; reassembly.h puts fragments together.
#pragma once

#include <optional>

#include "net/addr.h"
#include "net/drop.h"
#include "net/packet.h"

namespace adit {

/// Where a fragment may begin, and all but the last end: a multiple of this many bytes.
inline constexpr size_t kFragmentUnit = 8;
/// What every link carries in one piece (RFC 791 3.2; IPv6's carry far more).
inline constexpr size_t kSmallestMtu = 68;

/// A part of a packet that somebody cut.
struct FragmentView {
  Ip source;
  Ip destination;
  uint32_t identification;
  uint8_t protocol;    // of what was cut
  size_t offset;       // of `payload` in what was cut, a multiple of kFragmentUnit
  bool more;           // others follow behind it
  ConstBytes header;   // the IP header: with IPv4 options, without the IPv6 fragment header
  ConstBytes payload;  // may be empty, of any size
};

/// Empty for packets that are whole or malformed, and for IPv6 with other extension headers in front of the fragment
/// header: those belong to somebody else.  An IPv6 packet that has a fragment header and yet is whole is a fragment.
std::optional<FragmentView> fragment_view(ConstBytes packet) noexcept;

/// Appends an IP packet to `out`: as it is when it has at most `mtu` bytes, or else cut into fragments of at most so
/// many, from first to last, in packets of `pool` with the usual room around them.  IPv4 fragments keep the packet's
/// identification; IPv6 fragments get `identification`, to be used once with these addresses in the time that packets
/// live (RFC 8200 4.5; unpredictable, RFC 7739).
/// All or nothing: kTooBig, it must not be cut (IPv4: "don't fragment", options, a fragment already; IPv6: extension
/// headers that each fragment would need) or the MTU has no room for 8 bytes behind the headers; kBadIpLength, its
/// header lies; kNoBuffer, the pool has not enough slots.
Drop fragment(Packet packet, size_t mtu, uint32_t identification, PacketPool& pool, PacketBatch& out) noexcept;

}  // namespace adit
