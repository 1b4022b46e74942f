#include "net/checksum.h"

#include <array>

namespace adit {
namespace {

/// 2^16 = 1 in one's complement arithmetic, so words of any size fold to the same 16 bits, and in the other byte order
/// to the same two bytes, swapped (RFC 1071 2).
uint16_t fold(uint64_t sum) noexcept {
  while ((sum >> 16) != 0) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<uint16_t>(sum);
}

}  // namespace

/// Words as the machine has them, in lanes that do not wait for each other, so that the compiler makes vectors of them.
/// 64 bits hold the sum of 2^32 words.
uint64_t checksum_add(uint64_t sum, ConstBytes bytes) noexcept {
  constexpr size_t kLanes = 16;
  std::array<uint32_t, kLanes> words;
  std::array<uint64_t, kLanes> lanes{};
  const uint8_t* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= sizeof words; at += sizeof words, left -= sizeof words) {
    std::memcpy(words.data(), at, sizeof words);
    for (size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += words[lane];
  }
  words = {};  // the rest, with zeros behind it, which add nothing
  if (left > 0) std::memcpy(words.data(), at, left);
  uint64_t total = 0;
  for (size_t lane = 0; lane < kLanes; ++lane) total += lanes[lane] + words[lane];

  std::array<uint8_t, 2> folded;
  const uint16_t native = fold(total);
  std::memcpy(folded.data(), &native, sizeof native);
  return sum + load_be16(folded.data());
}

uint16_t checksum_finish(uint64_t sum) noexcept { return static_cast<uint16_t>(~fold(sum)); }

}  // namespace adit
