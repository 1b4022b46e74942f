// ICMP echo through the tunnel, by an ordinary socket.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "daemon/doctor/way.h"
#include "net/addr.h"
#include "net/fd.h"

namespace adit::doctor {

class Pinger {
 public:
  using Patience = std::chrono::milliseconds;

  /// Throws std::system_error, as when this user may not.
  Pinger(const Ip& to, const Way& way);

  /// Sends requests of these sizes (bytes of the whole IP packet, at least kSmallestEcho), twice each, and waits until
  /// each has come back or patience ends.  By the order of `sizes`.  Throws std::system_error when there is no way.
  std::vector<bool> ask(const std::vector<uint16_t>& sizes, Patience patience);
  /// Of the first answer to the last ask(); 0 without one.
  [[nodiscard]] std::chrono::microseconds round_trip() const noexcept { return round_trip_; }

  /// The largest size that comes back, up to `most`, which does not; `least` does.  WireGuard pads to 16 bytes, so
  /// sizes between its multiples are all alike.
  uint16_t largest(uint16_t least, uint16_t most, Patience patience);

 private:
  void send(uint16_t size);
  [[nodiscard]] std::optional<uint16_t> receive();

  bool v4_;
  bool shows_ip_header_ = false;  // of what is received: IPv4's raw sockets do
  uint64_t mark_;
  Fd fd_;
  std::chrono::microseconds round_trip_{0};
};

}  // namespace adit::doctor
