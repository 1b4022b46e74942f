// Packets and the pool their memory comes from.
//
// A pool is one block of equal slots, with perhaps a few larger ones beside it.  A Packet is the only owner of one
// slot: it is moved, never copied, and gives the slot back when it dies.  Its bytes are a window inside the slot with
// room on both sides, so that headers are pushed and pulled in place:
//
//     | headroom (kHeadroom at first) | bytes() | tailroom |
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "net/bytes.h"
#include "net/staging.h"

namespace adit {

/// Room in front of a fresh packet: enough for IPv6 + UDP + WireGuard data header, and a whole cache line.
inline constexpr size_t kHeadroom = 128;
/// Room behind the largest packet a slot is made for: padding to 16 and the AEAD tag.
inline constexpr size_t kTailroom = 32;
/// About as many packets as one read, one call down and one write handle: a train's worth.  More at once would leave
/// the processor's caches before they are looked at again, and let whoever waits for the first wait for the last.
inline constexpr size_t kBatchSize = 64;

class PacketPool;

class Packet {
 public:
  Packet() noexcept = default;  // empty handle, owns nothing
  Packet(Packet&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), slot_(other.slot_), begin_(other.begin_), size_(other.size_) {}
  Packet& operator=(Packet&& other) noexcept;
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;
  ~Packet() { release(); }

  explicit operator bool() const noexcept { return pool_ != nullptr; }
  [[nodiscard]] Bytes bytes() noexcept { return {data(), size_}; }
  [[nodiscard]] ConstBytes bytes() const noexcept { return {data(), size_}; }
  [[nodiscard]] uint8_t* data() noexcept;
  [[nodiscard]] const uint8_t* data() const noexcept;
  [[nodiscard]] size_t size() const noexcept { return size_; }
  [[nodiscard]] size_t headroom() const noexcept { return begin_; }
  [[nodiscard]] size_t tailroom() const noexcept;

  /// Grow in front or behind; the new bytes are whatever was there.  The room must exist.
  Bytes push_front(size_t count) noexcept {
    assert(count <= headroom());
    begin_ -= static_cast<uint32_t>(count);
    size_ += static_cast<uint32_t>(count);
    return {data(), count};
  }
  Bytes push_back(size_t count) noexcept {
    assert(count <= tailroom());
    size_ += static_cast<uint32_t>(count);
    return {data() + size_ - count, count};
  }
  /// Shrink in front, or to a size; the packet must be at least as large.
  void pull_front(size_t count) noexcept {
    assert(count <= size_);
    begin_ += static_cast<uint32_t>(count);
    size_ -= static_cast<uint32_t>(count);
  }
  void trim_to(size_t size) noexcept {
    assert(size <= size_);
    size_ = static_cast<uint32_t>(size);
  }

 private:
  friend class PacketPool;
  Packet(PacketPool* pool, uint32_t slot) noexcept : pool_(pool), slot_(slot) {}
  void release() noexcept;

  PacketPool* pool_ = nullptr;
  uint32_t slot_ = 0;
  uint32_t begin_ = kHeadroom;
  uint32_t size_ = 0;
};

/// A fixed number of equal slots, and of large ones.  Free slots are reused last-in first-out, so an idle process
/// touches (and pays for) only as many as it ever had in flight.  Must outlive its packets and stay where it is.
class PacketPool {
 public:
  /// A pool and its packets are one thread's, unless it is shared, which costs a lock for each packet.
  enum class Use : uint8_t { kOneThread, kShared };

  /// Slots that hold packets of up to `largest_packet` bytes with headroom and tailroom around them.
  PacketPool(size_t slots, size_t largest_packet, Use use = Use::kOneThread);
  PacketPool(const PacketPool&) = delete;
  PacketPool& operator=(const PacketPool&) = delete;

  /// Has a few slots for larger packets beside the others, which are memory once used.  Once, and before packets are
  /// taken.
  void add_large(size_t slots, size_t largest_packet);

  /// An empty packet with kHeadroom in front; an empty handle when every slot is in use.
  [[nodiscard]] Packet take() noexcept;
  /// The same with room for `size` bytes: a large slot where there has to be one.  An empty handle when those are in
  /// use, or none is large enough.
  [[nodiscard]] Packet take(size_t size) noexcept;
  /// Whether any slot is that large.
  [[nodiscard]] bool can_hold(size_t size) const noexcept;
  /// The same bytes in a packet of this pool: the packet itself when it is one; an empty handle when every slot is in
  /// use, or too small.
  [[nodiscard]] Packet adopt(Packet packet) noexcept;
  /// Slots that take() without a size has, and has left.
  [[nodiscard]] size_t available() const noexcept;
  [[nodiscard]] size_t slots() const noexcept { return slots_; }
  /// Where reads in bulk land before they are cut into packets of this pool.
  [[nodiscard]] Staging& staging() noexcept { return staging_; }
  [[nodiscard]] size_t largest_packet() const noexcept { return slot_size_ - kHeadroom - kTailroom; }

 private:
  friend class Packet;
  [[nodiscard]] uint8_t* slot(uint32_t index) const noexcept { return memory_.get() + index * slot_size_; }
  void put_back(uint32_t slot) noexcept {
    const auto lock = locked();
    free_.push_back(slot);
  }
  /// Holds the mutex where the pool is shared.
  [[nodiscard]] std::unique_lock<std::mutex> locked() const noexcept {
    return use_ == Use::kShared ? std::unique_lock(mutex_) : std::unique_lock<std::mutex>();
  }

  struct Unmap {
    size_t size;
    void operator()(uint8_t* memory) const noexcept;
  };
  size_t slot_size_;
  size_t slots_;
  size_t untouched_ = 0;  // slots from here on were never handed out
  std::unique_ptr<uint8_t[], Unmap> memory_;
  Use use_;
  mutable std::mutex mutex_;  // of untouched_ and free_
  std::vector<uint32_t> free_;
  Staging staging_;
  std::unique_ptr<PacketPool> large_;
};

inline Packet PacketPool::take(size_t size) noexcept {
  if (size <= largest_packet()) return take();
  return can_hold(size) ? large_->take() : Packet();
}
inline bool PacketPool::can_hold(size_t size) const noexcept {
  return size <= largest_packet() || (large_ != nullptr && size <= large_->largest_packet());
}

inline uint8_t* Packet::data() noexcept { return pool_->slot(slot_) + begin_; }
inline const uint8_t* Packet::data() const noexcept { return pool_->slot(slot_) + begin_; }
inline size_t Packet::tailroom() const noexcept { return pool_->slot_size_ - begin_ - size_; }
inline void Packet::release() noexcept {
  if (pool_ != nullptr) pool_->put_back(slot_);
}
inline Packet& Packet::operator=(Packet&& other) noexcept {
  if (this == &other) return *this;
  release();
  pool_ = std::exchange(other.pool_, nullptr);
  slot_ = other.slot_;
  begin_ = other.begin_;
  size_ = other.size_;
  return *this;
}

/// Packets on their way through one call.  Storage is kept between uses.
using PacketBatch = std::vector<Packet>;

}  // namespace adit
