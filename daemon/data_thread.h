// A thread that serves descriptors, with a loop of its own.
#pragma once

#include <system_error>
#include <thread>

#include "daemon/loop.h"

namespace adit::daemon {

class DataThread {
 public:
  DataThread() {
    loop_.on_wake([this] { loop_.stop(); });
  }
  ~DataThread() { stop(); }
  DataThread(const DataThread&) = delete;
  DataThread& operator=(const DataThread&) = delete;

  /// For handlers, which the thread calls.  Watched and unwatched is only while it is stopped, or by a handler.
  [[nodiscard]] Loop& loop() noexcept { return loop_; }

  /// Throws std::system_error.
  void start() {
    try {
      thread_ = std::thread([this] { loop_.run(); });
    } catch (const std::system_error& error) {
      throw std::system_error(error.code(), "start a thread");
    }
  }
  /// Returns when no handler runs any more; not to be called by one, nor with a lock that one might wait for.
  void stop() noexcept {
    if (!thread_.joinable()) return;
    loop_.wake();
    thread_.join();
  }

 private:
  Loop loop_;
  std::thread thread_;
};

}  // namespace adit::daemon
