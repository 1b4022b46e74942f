// From a client's payload to an inner packet and back: what the forwarder changes in the bytes.
#pragma once

#include "forward/flow.h"
#include "net/drop.h"
#include "net/ip.h"

namespace adit::forward {

/// Whether the lengths of UDP and IP headers (IPv4's when `v4`, whose length counts itself) can say how long a payload
/// is.
constexpr bool fits_udp(size_t payload_size, bool v4) noexcept {
  return payload_size + (v4 ? udp_overhead(true) : kUdpHeaderSize) <= UINT16_MAX;
}

/// Puts UDP and IP headers from `side.ours` to `side.remote` in front of a payload that fits_udp().
void wrap_udp(Packet& payload, const TunnelSide& side, uint16_t identification) noexcept;

/// Checks everything an answer says about itself and, when it is right, leaves its payload alone in the packet:
/// headers and what may follow the UDP datagram are cut off.  `view` is udp_view() of `packet` and dangles afterwards.
/// Drop::kBadUdpLength or Drop::kBadChecksum leave the packet as it is.
Drop unwrap_udp(Packet& packet, const UdpView& view) noexcept;

}  // namespace adit::forward
