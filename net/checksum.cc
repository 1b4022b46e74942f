#include "net/checksum.h"

namespace adit {
namespace {

/// Two 64-bit words that are worked on together: the compilers' own vectors, in registers that every 64-bit machine
/// has.
using Vector = uint64_t __attribute__((vector_size(16)));

/// Sums of the low and of the high 32-bit halves of vectors.  The low ones are never summed by themselves: `all` is,
/// modulo 2^64, low + 2^32 * high, which is one operation less for each vector than taking the words apart.
struct Halves {
  Vector all{};
  Vector high{};
  void add(const uint8_t* at) noexcept {
    Vector words;
    std::memcpy(&words, at, sizeof words);
    all += words;
    high += words >> 32;
  }
  [[nodiscard]] Vector sum() const noexcept { return high + (all - (high << 32)); }
};

constexpr size_t kBlock = 2 * sizeof(Vector);

uint16_t fold(uint64_t sum) noexcept {
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

/// The sum of whole blocks.  Bytes are swapped once, in the sum: all the machine's order does is to turn it around
/// (RFC 1071 2 B).
uint16_t sum_of_blocks(ConstBytes blocks) noexcept {
  Halves even, odd;  // two, so that one addition need not wait for the other
  for (size_t at = 0; at < blocks.size(); at += kBlock) {
    even.add(blocks.data() + at);
    odd.add(blocks.data() + at + sizeof(Vector));
  }
  const Vector sum = even.sum() + odd.sum();
  const uint16_t native = fold(sum[0] + sum[1]);
  return load_be16(reinterpret_cast<const uint8_t*>(&native));
}

}  // namespace

uint64_t checksum_add(uint64_t sum, ConstBytes bytes) noexcept {
  // 2^16 = 1 in one's complement arithmetic, so 32-bit words add up to the same as 16-bit ones.  64 bits hold the sum
  // of 2^32 of them.
  const size_t in_blocks = bytes.size() / kBlock * kBlock;
  if (in_blocks != 0) sum += sum_of_blocks(bytes.first(in_blocks));
  size_t at = in_blocks;
  for (; at + 4 <= bytes.size(); at += 4) sum += load_be32(&bytes[at]);
  if (at + 2 <= bytes.size()) {
    sum += load_be16(&bytes[at]);
    at += 2;
  }
  if (at < bytes.size()) sum += uint64_t{bytes[at]} << 8;
  return sum;
}

uint16_t checksum_finish(uint64_t sum) noexcept { return static_cast<uint16_t>(~fold(sum)); }

}  // namespace adit
