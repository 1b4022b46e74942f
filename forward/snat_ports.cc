#include "forward/snat_ports.h"

#include <cassert>

namespace adit::forward {

SnatPorts::SnatPorts(PortRange range, uint64_t seed)
    : range_(range),
      start_(range.size() == 0 ? 0 : static_cast<uint32_t>(seed % range.size())),
      returned_(std::make_unique_for_overwrite<uint16_t[]>(range.size())) {}

std::optional<uint16_t> SnatPorts::take() noexcept {
  const uint32_t size = range_.size();
  if (size == 0) return {};
  if (never_used_from_ < size) return static_cast<uint16_t>(range_.first + (start_ + never_used_from_++) % size);
  if (returned_count_ == 0) return {};
  const uint16_t port = returned_[returned_first_];
  returned_first_ = (returned_first_ + 1) % size;
  --returned_count_;
  return port;
}

void SnatPorts::give_back(uint16_t port) noexcept {
  const uint32_t size = range_.size();
  assert(size > 0 && range_.contains(port) && in_use() > 0);
  returned_[(returned_first_ + returned_count_) % size] = port;
  ++returned_count_;
}

}  // namespace adit::forward
