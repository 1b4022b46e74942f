#include "net/ecn.h"

#include "net/checksum.h"

namespace adit {
namespace {

constexpr uint8_t kMask = 3;

bool is_v4(ConstBytes packet) noexcept { return packet[0] >> 4 == 4; }

/// Where both IP versions have the bits: IPv4 at the end of the second byte, IPv6 in the middle of it.
unsigned shift_in(ConstBytes packet) noexcept { return is_v4(packet) ? 0 : 4; }

/// The inner header after both are joined (RFC 6040 figure 4).  A packet that is not capable is dropped only when
/// marked, which the caller has seen to.
Ecn joined(Ecn inner, Ecn outer) noexcept {
  if (inner == Ecn::kNotCapable) return inner;
  if (outer == Ecn::kCongestion) return outer;
  if (outer == Ecn::kCapable1 && inner == Ecn::kCapable0) return outer;
  return inner;
}

/// Changes one 16-bit word of what an IPv4 checksum covers (RFC 1624 eq. 3): a checksum that was wrong stays wrong.
void update_checksum(uint8_t* checksum, uint16_t before, uint16_t after) noexcept {
  const uint64_t sum = uint64_t{static_cast<uint16_t>(~load_be16(checksum))} + static_cast<uint16_t>(~before) + after;
  store_be16(checksum, checksum_finish(sum));
}

}  // namespace

uint8_t ecn_of(ConstBytes packet) noexcept {
  if (packet.size() < 2) return 0;
  return packet[1] >> shift_in(packet) & kMask;
}

bool adopt_outer_ecn(Bytes packet, uint8_t outer_tos) noexcept {
  const auto inner = static_cast<Ecn>(ecn_of(packet));
  const auto outer = static_cast<Ecn>(outer_tos & kMask);
  if (inner == Ecn::kNotCapable) return outer != Ecn::kCongestion;
  const Ecn result = joined(inner, outer);
  if (result == inner) return true;

  const uint16_t before = load_be16(packet.data());
  const unsigned change = (static_cast<unsigned>(inner) ^ static_cast<unsigned>(result)) << shift_in(packet);
  packet[1] = static_cast<uint8_t>(packet[1] ^ change);
  if (is_v4(packet)) update_checksum(&packet[10], before, load_be16(packet.data()));
  return true;
}

}  // namespace adit
