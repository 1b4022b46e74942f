// The event loop: libuv, reduced to what the gateway needs.  Descriptors are watched with uv_poll, because we read and
// write them in batches ourselves; there is one timer.
#pragma once

#include <uv.h>

#include <functional>
#include <memory>
#include <vector>

#include "net/time.h"

namespace adit::daemon {

class Loop {
 public:
  using Handler = std::function<void()>;

  Loop();
  ~Loop();  // closes everything that is watched
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Calls `handler` whenever `fd` has something to read, until unwatch(fd).  The descriptor stays the caller's.
  void on_readable(int fd, Handler handler);
  void unwatch(int fd);
  void on_signal(int signal, Handler handler);
  void on_timer(Handler handler) { timer_handler_ = std::move(handler); }
  /// Calls `handler` soon after wake(), once for any number of them.
  void on_wake(Handler handler) { wake_handler_ = std::move(handler); }
  /// Arms the timer anew; kNever disarms it.
  void arm_timer(Time deadline, Time now);

  void run();
  /// run() returns after the handler that calls this.
  void stop() { uv_stop(&loop_); }
  /// The one thing that other threads may do.
  void wake() noexcept { uv_async_send(&async_); }
  [[nodiscard]] uv_loop_t* raw() noexcept { return &loop_; }

 private:
  struct Poll;
  struct Signal;

  uv_loop_t loop_;
  uv_timer_t timer_;
  uv_async_t async_;
  Handler timer_handler_;
  Handler wake_handler_ = [] {};
  Time armed_ = kNever;
  std::vector<Poll*> polls_;
};

/// Throws std::runtime_error "`what`: reason" for a negative libuv result.
void check_uv(const char* what, int result);

}  // namespace adit::daemon
