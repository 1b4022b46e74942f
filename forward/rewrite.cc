#include "forward/rewrite.h"

#include "net/checksum.h"

namespace adit::forward {

void wrap_udp(Packet& payload, const TunnelSide& side, uint16_t identification) noexcept {
  push_udp(payload, side.ours, side.remote, identification);
}

Drop unwrap_udp(Packet& packet, const UdpView& view) noexcept {
  // IPv6 has no header checksum: the UDP one covers the addresses.
  const bool header_fits = view.source.ip.is_v6() || checksum_finish(checksum_add(0, view.ip_header)) == 0;
  if (!header_fits) return Drop::kBadChecksum;
  if (!view.length_fits()) return Drop::kBadUdpLength;
  if (!view.checksum_fits()) return Drop::kBadChecksum;
  const size_t header_size = view.ip_header.size() + kUdpHeaderSize;
  const size_t payload_size = view.payload().size();
  packet.pull_front(header_size);
  packet.trim_to(payload_size);
  return Drop::kNone;
}

}  // namespace adit::forward
