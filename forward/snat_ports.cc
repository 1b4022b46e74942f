#include "forward/snat_ports.h"

#include <cassert>

namespace adit::forward {

SnatPorts::SnatPorts(PortRange range, uint64_t seed)
    : range_(range),
      start_(range.size() == 0 ? 0 : static_cast<uint32_t>(seed % range.size())),
      returned_(std::make_unique_for_overwrite<uint16_t[]>(range.size())) {}

std::optional<uint16_t> SnatPorts::take() noexcept {
  const uint32_t size = range_.size();
  while (!taken_ahead_.empty() && never_used_from_ < size && taken_ahead_[never_used_from_]) ++never_used_from_;
  if (never_used_from_ < size) {
    ++in_use_;
    return static_cast<uint16_t>(range_.first + (start_ + never_used_from_++) % size);
  }
  if (returned_count_ == 0) return {};
  const uint16_t port = returned_[returned_first_];
  returned_first_ = returned_first_ + 1 == size ? 0 : returned_first_ + 1;
  --returned_count_;
  ++in_use_;
  return port;
}

bool SnatPorts::take(uint16_t port) {
  assert(returned_count_ == 0);
  if (!range_.contains(port)) return false;
  const uint32_t size = range_.size();
  const uint32_t offset = uint32_t{port} - range_.first;
  const uint32_t place = offset >= start_ ? offset - start_ : offset + size - start_;
  if (place < never_used_from_) return false;
  if (taken_ahead_.empty()) taken_ahead_.resize(size);
  if (taken_ahead_[place]) return false;
  taken_ahead_[place] = true;
  ++in_use_;
  return true;
}

void SnatPorts::give_back(uint16_t port) noexcept {
  const uint32_t size = range_.size();
  assert(size > 0 && range_.contains(port) && in_use_ > 0);
  returned_[(returned_first_ + returned_count_) % size] = port;
  ++returned_count_;
  --in_use_;
}

}  // namespace adit::forward
