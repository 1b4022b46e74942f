// An array with 64 places of which most are empty: a word says which are not, and those lie together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

namespace adit {

/// std::popcount() is a call into a table of libgcc's unless the compiler may count on the instruction for it.
constexpr unsigned count_bits(uint64_t bits) noexcept {
  bits -= bits >> 1 & 0x5555555555555555;
  bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
  bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0f;
  return static_cast<unsigned>(bits * 0x0101010101010101 >> 56);
}

/// Two words when empty.  What is put in or taken out moves all others: pointers to items hold until then.
template <typename T>
class SparseArray {
 public:
  SparseArray() noexcept = default;
  SparseArray(SparseArray&& other) noexcept : bits_(std::exchange(other.bits_, 0)), items_(std::move(other.items_)) {}
  SparseArray(const SparseArray& other) : bits_(other.bits_) {
    if (bits_ == 0) return;
    items_ = std::make_unique<T[]>(size());
    std::copy_n(other.items_.get(), size(), items_.get());
  }
  SparseArray& operator=(SparseArray other) noexcept {
    bits_ = std::exchange(other.bits_, 0);
    items_ = std::move(other.items_);
    return *this;
  }
  ~SparseArray() = default;

  /// Bit `i` is set when there is an item at `i`.
  [[nodiscard]] uint64_t bits() const noexcept { return bits_; }
  [[nodiscard]] size_t size() const noexcept { return count_bits(bits_); }
  /// Of items that are there.
  [[nodiscard]] T& operator[](unsigned place) noexcept { return items_[rank(place)]; }
  [[nodiscard]] const T& operator[](unsigned place) const noexcept { return items_[rank(place)]; }
  /// nullptr when there is none.
  [[nodiscard]] T* find(unsigned place) noexcept { return (bits_ >> place & 1) != 0 ? &(*this)[place] : nullptr; }
  [[nodiscard]] const T* find(unsigned place) const noexcept {
    return (bits_ >> place & 1) != 0 ? &(*this)[place] : nullptr;
  }

  /// The place is empty.
  T& insert(unsigned place, T item) {
    const size_t at = rank(place);
    auto items = std::make_unique<T[]>(size() + 1);
    std::move(items_.get(), items_.get() + at, items.get());
    items[at] = std::move(item);
    std::move(items_.get() + at, items_.get() + size(), items.get() + at + 1);
    items_ = std::move(items);
    bits_ |= uint64_t{1} << place;
    return items_[at];
  }
  /// The item is there.  What is left stays where it is, and so does its memory.
  void erase(unsigned place) noexcept {
    T* const at = &(*this)[place];
    std::move(at + 1, items_.get() + size(), at);
    items_[size() - 1] = T{};
    bits_ &= ~(uint64_t{1} << place);
    if (bits_ == 0) items_.reset();
  }

 private:
  [[nodiscard]] size_t rank(unsigned place) const noexcept { return count_bits(bits_ & ((uint64_t{1} << place) - 1)); }

  uint64_t bits_ = 0;
  std::unique_ptr<T[]> items_;  // at least as many as there are bits
};

}  // namespace adit
