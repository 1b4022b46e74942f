#include "net/packet.h"

#include <sys/mman.h>

#include <new>

namespace adit {
namespace {

size_t slot_size_for(size_t largest_packet) {
  const size_t wanted = kHeadroom + largest_packet + kTailroom;
  return (wanted + kCacheLine - 1) / kCacheLine * kCacheLine;
}

/// Pages the kernel hands out on first touch: memory nobody used costs nothing.
uint8_t* map(size_t size) {
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<uint8_t*>(memory);
}

}  // namespace

void PacketPool::Unmap::operator()(uint8_t* memory) const noexcept { munmap(memory, size); }

PacketPool::PacketPool(size_t slots, size_t largest_packet, Use use)
    : slot_size_(slot_size_for(largest_packet)),
      slots_(slots),
      memory_(map(slots * slot_size_), Unmap{slots * slot_size_}),
      use_(use) {
  free_.reserve(slots);
}

void PacketPool::add_large(size_t slots, size_t largest_packet) {
  large_ = std::make_unique<PacketPool>(slots, largest_packet, use_);
}

Packet PacketPool::take() noexcept {
  const auto lock = locked();
  if (!free_.empty()) {
    const uint32_t slot = free_.back();
    free_.pop_back();
    return {this, slot};
  }
  if (untouched_ == slots_) return {};
  return {this, static_cast<uint32_t>(untouched_++)};
}

Packet PacketPool::adopt(Packet packet) noexcept {
  if (packet.pool_ == this) return packet;
  if (packet.size() > largest_packet()) return {};
  Packet copy = take();
  if (copy) copy_bytes(std::as_const(packet).bytes(), copy.push_back(packet.size()).data());
  return copy;
}

size_t PacketPool::available() const noexcept {
  const auto lock = locked();
  return free_.size() + (slots_ - untouched_);
}

}  // namespace adit
