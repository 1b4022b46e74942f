// How Poly1305 goes through messages of unequal length side by side, one in each lane.
//
// Four blocks a step: h = (h + m1) r^4 + m2 r^3 + m3 r^2 + m4 r.  All messages end in the same step; the shorter ones
// begin with null blocks, that is zero without the bit above the block, which leave h zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/aead_lanes.h"

namespace adit::crypto::vector {

inline constexpr size_t kPolyBlock = 16;
inline constexpr size_t kStep = 4;  // blocks
inline constexpr size_t kStepBytes = kStep * kPolyBlock;

/// `Of` is whose steps these are (see aead_vector.h: a type that only one file has).
template <typename Of, size_t kLanes>
struct PolySteps {
  void begin(const uint64_t* sizes) {
    uint64_t longest = 0;
    uint64_t shortest = ~uint64_t{0};
    for (size_t i = 0; i < kLanes; ++i) {
      longest = sizes[i] > longest ? sizes[i] : longest;
      shortest = sizes[i] < shortest ? sizes[i] : shortest;
    }
    count = (blocks_of(longest) + kStep - 1) / kStep;
    all_whole = count - blocks_of(shortest) / kStep;
    first_block = count * kStep - blocks_of(longest);
  }

  /// The text's, and the block of lengths.
  static uint64_t blocks_of(uint64_t size) { return (size + 2 * kPolyBlock - 1) / kPolyBlock; }

  uint64_t count;
  uint64_t all_whole;    // the first step without null blocks, if not `count`
  uint64_t first_block;  // of the first step: those before are null in all lanes
};

}  // namespace adit::crypto::vector
