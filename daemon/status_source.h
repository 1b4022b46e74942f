// What the gateway is doing, for threads that may not look at it themselves: they ask its loop.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "daemon/loop.h"
#include "daemon/status.h"

namespace adit::daemon {

/// Asking often costs the gateway nothing: an answer is given again until it is kFreshFor old.
class StatusSource {
 public:
  static constexpr Duration kFreshFor = milliseconds(250);

  /// `take` is called on the loop.
  StatusSource(Loop& loop, std::function<Status()> take);
  ~StatusSource();  // on the loop, when nobody asks any more
  StatusSource(const StatusSource&) = delete;
  StatusSource& operator=(const StatusSource&) = delete;

  /// From any thread but the loop's, for which it waits.  Nothing once the source is closed.
  [[nodiscard]] std::shared_ptr<const Status> get();
  /// Whoever waits gets nothing, and so does who asks from now on.
  void close() noexcept;

 private:
  void serve();

  const std::function<Status()> take_;
  uv_async_t* wake_ = nullptr;  // libuv's until closed
  std::mutex mutex_;            // over what follows
  std::condition_variable changed_;
  bool is_closed_ = false;
  bool is_wanted_ = false;
  std::shared_ptr<const Status> latest_;
};

}  // namespace adit::daemon
