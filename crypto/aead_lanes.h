// What the vector files of the batch door work on: messages, the lanes of a group of them, and what is secret
// meanwhile. See aead_vector.h for the plan, and for what these files may use.
#pragma once

#include <cstddef>
#include <cstdint>

#include "crypto/poly1305.h"

namespace adit::crypto::vector {

inline constexpr size_t kBlockSize = 64;
/// ChaCha20 states worked on side by side: their instructions fill each other's waiting time.
inline constexpr size_t kStates = 2;

/// Jobs without their types, field by field, so that a vector of one field is one load.  Whole vectors are loaded: the
/// last message is repeated up to a multiple of kMostWidth.
inline constexpr size_t kMostMessages = 64;
inline constexpr size_t kMostWidth = 16;
struct Messages {
  alignas(64) const uint8_t* key[kMostMessages];
  alignas(64) uint64_t nonce[kMostMessages];
  alignas(64) uint8_t* text[kMostMessages];  // followed by the place of the tag
  alignas(64) uint64_t size[kMostMessages];  // of the text
};

/// One bit for each message, the first lowest.
using MessageBits = uint64_t;

/// Wipes, in whatever pieces the compiler likes, and it may not leave it out.
template <typename T>
[[gnu::always_inline]] inline void overwrite(T& secret) {
  __builtin_memset(&secret, 0, sizeof secret);
  asm volatile("" : : "r"(&secret) : "memory");
}

/// Which block of which message each lane computes, and where the message has it.
template <typename Isa>
struct Lanes {
  static constexpr size_t kCount = kStates * Isa::kWidth;
  static constexpr size_t kRoom = kCount + Isa::kWidth;  // add() writes whole vectors

  alignas(64) uint32_t message[kRoom];
  alignas(64) uint32_t counter[kRoom];
  alignas(64) uint8_t* data[kRoom];
  alignas(64) size_t used;

  void add(uint32_t of, uint32_t block, uint8_t* at, uint32_t blocks) {
    for (uint32_t i = 0; i < blocks; i += Isa::kWidth) {
      Isa::write_lanes(message + used + i, counter + used + i, data + used + i, of, block + i, at + i * kBlockSize);
    }
    used += blocks;
  }
};

/// What is secret while a group is worked on.
template <typename Isa>
struct Workspace {
  using Vector = typename Isa::Vector;

  typename Isa::Poly poly[Isa::kWidth / Isa::kPolyLanes];
  Vector keys[8];                           // word by word, a message per lane
  Vector columns[16];                       // a message per lane: after the first round's columns but the counter's
  alignas(64) Vector initial[kStates][16];  // word by word, a block per lane
  alignas(64) Vector state[kStates][16];
  PolyKey only_poly_key;
  bool several_keys = false;

  void wipe() {
    for (auto& each : poly) each.wipe();
    for (Vector& words : keys) overwrite(words);
    for (Vector& words : columns) overwrite(words);
    for (size_t i = 0; i < kStates; ++i) {
      for (size_t word = 4; word < 12; ++word) overwrite(initial[i][word]);
      for (Vector& words : state[i]) overwrite(words);
    }
    only_poly_key = {};
    asm volatile("" : : "r"(&only_poly_key) : "memory");
  }
};

}  // namespace adit::crypto::vector
