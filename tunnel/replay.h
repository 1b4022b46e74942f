// The replay window: which counters of a session have been seen (RFC 6479; WireGuard paper 5.4.6).
#pragma once

#include <array>
#include <cstdint>

#include "tunnel/messages.h"

namespace adit::tunnel {

/// A ring of 64-bit words, each covering 64 counters.  The word ahead of the newest counter is always being cleared,
/// so one word's worth of the ring is not usable: hence kReplayWindow.
class ReplayWindow {
 public:
  /// True once per counter, if it is not too old.  Call only after the packet was authenticated.
  [[nodiscard]] bool accept(uint64_t counter) noexcept {
    if (counter >= kRejectAfterMessages) return false;
    if (counter > newest_) {
      advance_to(counter);
    } else if (newest_ - counter > kReplayWindow) {
      return false;
    }
    uint64_t& word = ring_[word_of(counter) % kWords];
    const uint64_t bit = uint64_t{1} << (counter % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }

  /// Has what accept() looks at brought near.
  void prefetch(uint64_t counter) const noexcept { __builtin_prefetch(&ring_[word_of(counter) % kWords]); }
  [[nodiscard]] uint64_t newest() const noexcept { return newest_; }

 private:
  static constexpr uint64_t kWords = 128;
  static constexpr uint64_t word_of(uint64_t counter) noexcept { return counter / 64; }

  void advance_to(uint64_t counter) noexcept {
    const uint64_t from = word_of(newest_);
    const uint64_t steps = word_of(counter) - from;
    if (steps >= kWords) ring_.fill(0);
    for (uint64_t step = 1; step <= steps && step < kWords; ++step) ring_[(from + step) % kWords] = 0;
    newest_ = counter;
  }

  uint64_t newest_ = 0;
  std::array<uint64_t, kWords> ring_{};
};

}  // namespace adit::tunnel
