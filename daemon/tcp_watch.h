// One descriptor in the event loop, for reading, writing or both, as its owner wants from time to time.
#pragma once

#include <functional>

#include "daemon/loop.h"

namespace adit::daemon {

class TcpWatch {
 public:
  struct Ready {
    bool to_read = false;
    bool to_write = false;
    bool failed = false;  // read, or tcp_error(), says how; it is watched on only after the next want()
  };
  using Handler = std::function<void(Ready)>;

  /// The descriptor stays the caller's and outlives the watch.  Throws std::runtime_error.
  TcpWatch(Loop& loop, int fd, Handler handler);
  ~TcpWatch();  // also from within the handler
  TcpWatch(const TcpWatch&) = delete;
  TcpWatch& operator=(const TcpWatch&) = delete;

  /// What the handler is called for from now on.
  void want(bool to_read, bool to_write);

  /// Bytes of memory behind one.
  static size_t size() noexcept;

 private:
  struct Handle;
  Handle* handle_;  // libuv's until its close callback has run; deleted there
};

}  // namespace adit::daemon
