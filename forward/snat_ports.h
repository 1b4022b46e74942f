// The gateway's ports towards one service.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "forward/port_range.h"

namespace adit::forward {

/// Hands out the ports of a range, each to one flow at a time, always the one that has been free for longest: a late
/// answer to a flow that ended must not reach the client that comes next.
///
/// Two ports are the same only towards the same service, so each service has ports of its own.  All the memory it
/// will ever need (2 bytes per port) is allocated at once but only touched as ports come back; a gateway that took
/// over its predecessor's flows has one bit per port beside that.
class SnatPorts {
 public:
  /// Begins somewhere in `range`, as `seed` says, so that a restarted gateway does not meet its predecessor's flows.
  SnatPorts(PortRange range, uint64_t seed);

  /// Empty when all are in use.
  [[nodiscard]] std::optional<uint16_t> take() noexcept;
  /// Takes this very port, for a flow of a predecessor's; before any came back.  False when it is in use, or not in
  /// the range.
  [[nodiscard]] bool take(uint16_t port);
  /// `port` came from take() and goes back once.
  void give_back(uint16_t port) noexcept;
  [[nodiscard]] uint32_t in_use() const noexcept { return in_use_; }
  [[nodiscard]] bool has_free() const noexcept { return in_use_ < range_.size(); }
  /// Whether a quarter of the range is free.
  [[nodiscard]] bool has_plenty() const noexcept { return in_use_ < range_.size() - range_.size() / 4; }

 private:
  PortRange range_;
  uint32_t start_;                // the first port to be used is range_.first + start_
  uint32_t never_used_from_ = 0;  // counts from start_, round the end of the range
  uint32_t in_use_ = 0;
  std::vector<bool> taken_ahead_;  // counts as never_used_from_ does, which will pass them over; often empty
  // A ring of the ports that came back, oldest first.
  std::unique_ptr<uint16_t[]> returned_;
  uint32_t returned_first_ = 0;
  uint32_t returned_count_ = 0;
};

}  // namespace adit::forward
