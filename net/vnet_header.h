// What stands in front of each packet at the descriptor of a tun that was opened with it: the virtio network header
// (virtio 1.2, 5.1.6, in its legacy form: 10 bytes, in the machine's byte order).
#pragma once

#include <cstdint>

namespace adit {

struct VnetHeader {
  static constexpr uint8_t kNeedsChecksum = 1;  // flags: the transport checksum holds the pseudo-header's part only
  static constexpr uint8_t kEcn = 0x80;         // gso_type: the first segment alone carries CWR

  enum class Gso : uint8_t { kNone = 0, kTcp4 = 1, kTcp6 = 4, kUdp = 5 };

  uint8_t flags = 0;
  uint8_t gso_type = 0;          // a Gso, perhaps with kEcn
  uint16_t header_size = 0;      // of all headers; a hint
  uint16_t segment_size = 0;     // payload of each segment but the last
  uint16_t checksum_start = 0;   // where the transport header begins
  uint16_t checksum_offset = 0;  // of the checksum from there

  bool operator==(const VnetHeader&) const noexcept = default;
};
static_assert(sizeof(VnetHeader) == 10);

}  // namespace adit
