// Memory for a known number of small values that come and go, and a hash index over them.  Both allocate once, for the
// configured bound, and never touch what they do not need: the pages come zeroed from the system on first use, so a
// table for 100,000 flows costs an idle process nothing, and a packet never waits for an allocation or a rehash.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <vector>

#include "net/bytes.h"
#include "net/large_pages.h"

namespace adit::forward {

struct Free {
  void operator()(void* memory) const noexcept { std::free(memory); }
};

/// An array of zeros that begins on a cache line, so that values of one or two lines' size are on no more than that; a
/// large one lies on large pages, so that one value among many is found without a look into the page tables.
template <typename T>
class ZeroedArray {
 public:
  /// Throws std::bad_alloc.
  explicit ZeroedArray(size_t size) {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);
    constexpr size_t kLine = 64;
    const size_t used = size * sizeof(T);
    const bool is_large = used >= kLargePage;
    const size_t alignment = is_large ? kLargePage : kLine;
    size_t bytes = used + alignment;
    // calloc, because unlike `new T[n]()` it need not write the zeros; what it cannot do is align them.
    memory_.reset(std::calloc(bytes, 1));
    void* first = memory_.get();
    if (first == nullptr || std::align(alignment, used, first, bytes) == nullptr) throw std::bad_alloc();
    if (is_large) prefer_large_pages(first, used);
    values_ = static_cast<T*>(first);
  }

  [[nodiscard]] T& operator[](size_t index) noexcept { return values_[index]; }
  [[nodiscard]] const T& operator[](size_t index) const noexcept { return values_[index]; }

 private:
  std::unique_ptr<void, Free> memory_;
  T* values_ = nullptr;
};

/// Where a value is in its slab; stays the same as long as the value lives.
using SlotIndex = uint32_t;
inline constexpr SlotIndex kNoSlot = 0;

template <typename T>
class Slab {
 public:
  explicit Slab(uint32_t capacity) : capacity_(capacity), slots_(size_t{capacity} + 1) { free_.reserve(capacity); }

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
/// with as many buckets as values a chain has one and a half on average, with three times as many hardly more than one.
template <typename T, SlotIndex T::*Next>
class HashIndex {
 public:
  static constexpr size_t kBytesPerBucket = sizeof(SlotIndex);

  explicit HashIndex(size_t buckets) : size_(std::max<size_t>(buckets, 1)), buckets_(size_) {}

  /// Two steps towards find() for many hashes at once: fetch the bucket, then see which value stands first in it.
  void prefetch(uint64_t hash) const noexcept { __builtin_prefetch(&buckets_[bucket_of(hash)]); }
  [[nodiscard]] SlotIndex first(uint64_t hash) const noexcept { return buckets_[bucket_of(hash)]; }

  template <typename Matches>
  [[nodiscard]] SlotIndex find(const Slab<T>& slab, uint64_t hash, Matches matches) const noexcept {
    SlotIndex slot = buckets_[bucket_of(hash)];
    while (slot != kNoSlot && !matches(slab[slot])) slot = slab[slot].*Next;
    return slot;
  }
  void insert(Slab<T>& slab, uint64_t hash, SlotIndex slot) noexcept {
    slab[slot].*Next = buckets_[bucket_of(hash)];
    buckets_[bucket_of(hash)] = slot;
  }
  /// `slot` was inserted under the same hash.
  void erase(Slab<T>& slab, uint64_t hash, SlotIndex slot) noexcept {
    SlotIndex* link = &buckets_[bucket_of(hash)];
    while (*link != slot) link = &(slab[*link].*Next);
    *link = slab[slot].*Next;
  }

 private:
  /// The hash as a fraction of the buckets, so that there may be any number of them.
  [[nodiscard]] size_t bucket_of(uint64_t hash) const noexcept {
    return static_cast<size_t>(static_cast<Uint128>(hash) * size_ >> 64);
  }

  size_t size_;
  ZeroedArray<SlotIndex> buckets_;
};

}  // namespace adit::forward
