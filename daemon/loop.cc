#include "daemon/loop.h"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace adit::daemon {

// Handles belong to libuv until their close callback has run; each is deleted there.
struct Loop::Poll {
  uv_poll_t handle;
  int fd;
  Handler handler;

  /// An error is readable, too: the handler's read says which.  For libuv it is the end, but a netlink socket that has
  /// overflowed goes on.
  static void on_readable(uv_poll_t* handle, int status, int) {
    if (status < 0) uv_poll_start(handle, UV_READABLE, on_readable);
    static_cast<Poll*>(handle->data)->handler();
  }
};

struct Loop::Signal {
  uv_signal_t handle;
  Handler handler;
};

void check_uv(const char* what, int result) {
  if (result < 0) throw std::runtime_error(std::string(what) + ": " + uv_strerror(result));
}

Loop::Loop() {
  check_uv("start event loop", uv_loop_init(&loop_));
  uv_timer_init(&loop_, &timer_);
  timer_.data = this;
  check_uv("start event loop",
           uv_async_init(&loop_, &async_, [](uv_async_t* async) { static_cast<Loop*>(async->data)->wake_handler_(); }));
  async_.data = this;
}

Loop::~Loop() {
  uv_walk(
      &loop_,
      [](uv_handle_t* handle, void*) {
        if (!uv_is_closing(handle))
          uv_close(handle, [](uv_handle_t* closed) {
            if (closed->type == UV_POLL)
              delete static_cast<Poll*>(closed->data);
            else if (closed->type == UV_SIGNAL)
              delete static_cast<Signal*>(closed->data);
          });
      },
      nullptr);
  uv_run(&loop_, UV_RUN_DEFAULT);
  uv_loop_close(&loop_);
}

void Loop::on_readable(int fd, Handler handler) {
  auto* poll = new Poll{{}, fd, std::move(handler)};
  if (const int result = uv_poll_init(&loop_, &poll->handle, fd); result < 0) {
    delete poll;
    check_uv("watch descriptor", result);
  }
  poll->handle.data = poll;
  polls_.push_back(poll);
  check_uv("watch descriptor", uv_poll_start(&poll->handle, UV_READABLE, Poll::on_readable));
}

void Loop::unwatch(int fd) {
  const auto found = std::ranges::find_if(polls_, [fd](const Poll* poll) { return poll->fd == fd; });
  if (found == polls_.end()) return;
  uv_close(reinterpret_cast<uv_handle_t*>(&(*found)->handle),
           [](uv_handle_t* closed) { delete static_cast<Poll*>(closed->data); });
  polls_.erase(found);
}

void Loop::on_signal(int signal, Handler handler) {
  auto* watcher = new Signal{{}, std::move(handler)};
  uv_signal_init(&loop_, &watcher->handle);
  watcher->handle.data = watcher;
  check_uv(
      "watch signal",
      uv_signal_start(
          &watcher->handle, [](uv_signal_t* handle, int) { static_cast<Signal*>(handle->data)->handler(); }, signal));
}

void Loop::arm_timer(Time deadline, Time now) {
  if (deadline == armed_) return;
  armed_ = deadline;
  if (deadline == kNever) {
    uv_timer_stop(&timer_);
    return;
  }
  // Rounded up: waking a little early would find nothing due.  Not zero: before libuv 1.46 a timer that is due again at
  // once runs again before any descriptor is looked at.
  const auto delay = std::chrono::ceil<milliseconds>(std::max(deadline - now, Duration(1)));
  uv_update_time(&loop_);
  uv_timer_start(
      &timer_,
      [](uv_timer_t* timer) {
        auto* loop = static_cast<Loop*>(timer->data);
        loop->armed_ = kNever;
        loop->timer_handler_();
      },
      static_cast<uint64_t>(delay.count()), 0);
}

void Loop::run() { uv_run(&loop_, UV_RUN_DEFAULT); }

}  // namespace adit::daemon
