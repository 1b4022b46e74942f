// Which way datagrams leave, and when that may have changed.  One implementation file per system.
#pragma once

#include "net/datagram.h"
#include "net/fd.h"

namespace adit {

/// Of the network namespace that the thread is in that makes it.
class RouteWatch {
 public:
  /// Throws std::system_error.
  RouteWatch();

  /// Readable when routes, routing rules or interfaces have changed.
  [[nodiscard]] int fd() const noexcept { return notices_.get(); }
  /// Empties the descriptor.  Whether something may have changed.
  bool drain() noexcept;

  /// Whether a UDP datagram to `remote` from `local.ip` and `port`, with this mark, leaves by `local.interface`.  Where
  /// it cannot leave at all, from whichever address, it has no better way either, and the answer is yes.
  [[nodiscard]] bool leads_out(const Endpoint& remote, const Local& local, uint16_t port, uint32_t mark) noexcept;

 private:
  Fd notices_;
  Fd questions_;
  uint32_t sequence_ = 0;  // of the last question
};

}  // namespace adit
