#include "net/checksum.h"

namespace adit {

uint64_t checksum_add(uint64_t sum, ConstBytes bytes) noexcept {
  // 2^16 = 1 in one's complement arithmetic, so 32-bit big-endian words add up to the same as 16-bit ones.  64 bits
  // hold the sum of 2^32 of them.
  size_t at = 0;
  for (; at + 4 <= bytes.size(); at += 4) sum += load_be32(&bytes[at]);
  if (at + 2 <= bytes.size()) {
    sum += load_be16(&bytes[at]);
    at += 2;
  }
  if (at < bytes.size()) sum += uint64_t{bytes[at]} << 8;
  return sum;
}

uint16_t checksum_finish(uint64_t sum) noexcept {
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

}  // namespace adit
