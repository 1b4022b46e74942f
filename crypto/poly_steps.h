// How Poly1305 goes through messages of unequal length side by side, one in each lane.
//
// Four blocks a step: h = (h + m1) r^4 + m2 r^3 + m3 r^2 + m4 r.  All messages end in the same step; the shorter ones
// begin with null blocks, that is zero without the bit above the block, which leave h zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/aead_vector.h"

namespace adit::crypto::vector {

inline constexpr size_t kPolyBlock = 16;
inline constexpr size_t kStep = 4;  // blocks
inline constexpr size_t kStepBytes = kStep * kPolyBlock;

/// `Of` is whose steps these are (see aead_vector.h: a type that only one file has).
template <typename Of, size_t kLanes>
struct PolySteps {
  /// Lanes left over repeat the last message.
  void begin(const Message* messages, size_t messages_count) {
    uint64_t blocks[kLanes];
    uint64_t longest = 0;
    uint64_t shortest = ~uint64_t{0};
    for (size_t i = 0; i < kLanes; ++i) {
      const Message& message = messages[i < messages_count ? i : messages_count - 1];
      text[i] = message.text;
      size[i] = message.size;
      blocks[i] = (message.size + 2 * kPolyBlock - 1) / kPolyBlock;  // the text's, and the block of lengths
      longest = blocks[i] > longest ? blocks[i] : longest;
      shortest = blocks[i] < shortest ? blocks[i] : shortest;
    }
    count = (longest + kStep - 1) / kStep;
    all_whole = count - shortest / kStep;
    for (size_t i = 0; i < kLanes; ++i) null_blocks[i] = count * kStep - blocks[i];
  }

  /// Where a step begins in a message's text: before it, as a number modulo 2^64, if with null blocks.
  uint64_t position(size_t lane, size_t step) const { return step * kStepBytes - null_blocks[lane] * kPolyBlock; }

  /// Copies the bytes of a step that are in the text to their places in `row`; in the last step also the lengths, of
  /// which the first half, for associated data, is zero.
  void copy(size_t lane, size_t step, uint8_t* row) const {
    const auto at = static_cast<int64_t>(position(lane, step));
    const auto text_size = static_cast<int64_t>(size[lane]);
    const int64_t begin_at = at < 0 ? 0 : at;
    const int64_t end_at =
        at + static_cast<int64_t>(kStepBytes) < text_size ? at + static_cast<int64_t>(kStepBytes) : text_size;
    if (begin_at < end_at) {
      __builtin_memcpy(row + (begin_at - at), text[lane] + begin_at, static_cast<size_t>(end_at - begin_at));
    }
    if (step + 1 == count) __builtin_memcpy(row + kStepBytes - sizeof size[lane], &size[lane], sizeof size[lane]);
  }

  const uint8_t* text[kLanes];
  alignas(64) uint64_t size[kLanes];
  alignas(64) uint64_t null_blocks[kLanes];
  size_t count;
  size_t all_whole;  // the first step without null blocks, if not `count`
};

}  // namespace adit::crypto::vector
