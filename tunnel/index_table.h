// Our session indices: random 32-bit names under which peers address a handshake or a session of ours.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "crypto/random.h"

namespace adit::tunnel {

class Peer;

/// An index is taken when a handshake begins, stays with the session it leads to, and is given back with it.
///
/// How it works: a hash table without chains, at most half full, so that a look-up is one cache line.  An index is a
/// hash already, and of ours alone: nobody chooses indices that fall together.
class IndexTable {
 public:
  /// A fresh index for `peer`; never 0, never one in use, and not to be guessed.
  uint32_t take(Peer* peer) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    for (;;) {
      const uint32_t index = crypto::random_u32();
      Slot& slot = slots_[place_of(index)];
      if (index == 0 || slot.index == index) continue;
      slot = {index, peer};
      ++size_;
      return index;
    }
  }
  /// Nothing happens when nobody has it.
  void give_back(uint32_t index) noexcept;
  /// nullptr when nobody has the index.
  [[nodiscard]] Peer* find(uint32_t index) const noexcept { return slots_[place_of(index)].peer; }
  /// Before find() is called, to have what it looks at by then.
  void prefetch(uint32_t index) const noexcept { __builtin_prefetch(&slots_[index & mask()]); }
  [[nodiscard]] size_t size() const noexcept { return size_; }

 private:
  struct Slot {
    uint32_t index = 0;  // 0: empty, and nobody's
    Peer* peer = nullptr;
  };

  [[nodiscard]] size_t mask() const noexcept { return slots_.size() - 1; }
  /// Where the index is, or else the empty slot where it would be.
  [[nodiscard]] size_t place_of(uint32_t index) const noexcept {
    size_t place = index & mask();
    while (slots_[place].index != index && slots_[place].index != 0) place = (place + 1) & mask();
    return place;
  }
  void grow();

  std::vector<Slot> slots_ = std::vector<Slot>(16);  // a power of two
  size_t size_ = 0;
};

inline void IndexTable::give_back(uint32_t index) noexcept {
  size_t hole = place_of(index);
  if (slots_[hole].index == 0) return;
  // What was put behind because its own place was taken moves up, so that it is still found.
  for (size_t next = (hole + 1) & mask(); slots_[next].index != 0; next = (next + 1) & mask()) {
    const size_t distance_to_next = (next - slots_[next].index) & mask();
    const size_t distance_to_hole = (next - hole) & mask();
    if (distance_to_next < distance_to_hole) continue;
    slots_[hole] = slots_[next];
    hole = next;
  }
  slots_[hole] = {};
  --size_;
}

inline void IndexTable::grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(2 * slots_.size()));
  for (const Slot& slot : old) {
    if (slot.index != 0) slots_[place_of(slot.index)] = slot;
  }
}

}  // namespace adit::tunnel
