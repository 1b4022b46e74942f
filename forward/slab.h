// Memory for a known number of small values that come and go, and a hash index over them.  Both allocate once, for the
// configured bound, and never touch what they do not need: the pages come zeroed from the system on first use, so a
// table for 100,000 flows costs an idle process nothing, and a packet never waits for an allocation or a rehash.
#pragma once

#include <bit>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

namespace adit::forward {

struct Free {
  void operator()(void* memory) const noexcept { std::free(memory); }
};

template <typename T>
using ZeroedArray = std::unique_ptr<T[], Free>;

/// calloc, because unlike `new T[n]()` it need not write the zeros.
template <typename T>
ZeroedArray<T> make_zeroed_array(size_t size) {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
  void* memory = std::calloc(size, sizeof(T));
  if (memory == nullptr) throw std::bad_alloc();
  return ZeroedArray<T>(static_cast<T*>(memory));
}

/// Where a value is in its slab; stays the same as long as the value lives.
using SlotIndex = uint32_t;
inline constexpr SlotIndex kNoSlot = 0;

template <typename T>
class Slab {
 public:
  explicit Slab(uint32_t capacity) : capacity_(capacity), slots_(make_zeroed_array<T>(size_t{capacity} + 1)) {
    free_.reserve(capacity);
  }

  /// A slot for `value`; there must be room.  Slots are reused last-in first-out, so few flows stay on few pages.
  SlotIndex put(const T& value) noexcept {
    assert(size() < capacity_);
    SlotIndex slot = kNoSlot;
    if (free_.empty()) {
      slot = ++touched_;
    } else {
      slot = free_.back();
      free_.pop_back();
    }
    slots_[slot] = value;
    return slot;
  }
  void erase(SlotIndex slot) noexcept { free_.push_back(slot); }

  [[nodiscard]] T& operator[](SlotIndex slot) noexcept { return slots_[slot]; }
  [[nodiscard]] const T& operator[](SlotIndex slot) const noexcept { return slots_[slot]; }
  [[nodiscard]] size_t size() const noexcept { return touched_ - free_.size(); }
  [[nodiscard]] uint32_t capacity() const noexcept { return capacity_; }

 private:
  uint32_t capacity_;
  uint32_t touched_ = 0;  // slots 1..touched_ have been used
  ZeroedArray<T> slots_;  // slot 0 is never used: zeroed memory says "nothing" by itself
  std::vector<SlotIndex> free_;
};

/// Finds values of a slab by hash.  Values whose hashes fall into one bucket form a chain through their `Next` member;
/// with at least as many buckets as slots a chain is one value long, give or take one.
template <typename T, SlotIndex T::*Next>
class HashIndex {
 public:
  /// For a slab of `slots` slots; their bytes of bucket are 4 to 8 each.
  explicit HashIndex(uint32_t slots)
      : mask_(std::bit_ceil(size_t{slots} + 1) - 1), buckets_(make_zeroed_array<SlotIndex>(mask_ + 1)) {}

  template <typename Matches>
  [[nodiscard]] SlotIndex find(const Slab<T>& slab, uint64_t hash, Matches matches) const noexcept {
    SlotIndex slot = buckets_[hash & mask_];
    while (slot != kNoSlot && !matches(slab[slot])) slot = slab[slot].*Next;
    return slot;
  }
  void insert(Slab<T>& slab, uint64_t hash, SlotIndex slot) noexcept {
    slab[slot].*Next = buckets_[hash & mask_];
    buckets_[hash & mask_] = slot;
  }
  /// `slot` was inserted under the same hash.
  void erase(Slab<T>& slab, uint64_t hash, SlotIndex slot) noexcept {
    SlotIndex* link = &buckets_[hash & mask_];
    while (*link != slot) link = &(slab[*link].*Next);
    *link = slab[slot].*Next;
  }

 private:
  size_t mask_;
  ZeroedArray<SlotIndex> buckets_;
};

}  // namespace adit::forward
