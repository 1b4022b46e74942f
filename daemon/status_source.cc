#include "daemon/status_source.h"

#include "net/clock.h"

namespace adit::daemon {

StatusSource::StatusSource(Loop& loop, std::function<Status()> take) : take_(std::move(take)) {
  auto wake = std::make_unique<uv_async_t>();
  check_uv("status", uv_async_init(loop.raw(), wake.get(),
                                   [](uv_async_t* async) { static_cast<StatusSource*>(async->data)->serve(); }));
  wake_ = wake.release();
  wake_->data = this;
}

StatusSource::~StatusSource() {
  uv_close(reinterpret_cast<uv_handle_t*>(wake_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

std::shared_ptr<const Status> StatusSource::get() {
  std::unique_lock lock(mutex_);
  const Time oldest = read_clock().mono - kFreshFor;
  const auto is_fresh = [&] { return latest_ && latest_->snapshot.when.mono > oldest; };
  if (!is_closed_ && !is_fresh()) {
    is_wanted_ = true;
    uv_async_send(wake_);
    changed_.wait(lock, [&] { return is_closed_ || is_fresh(); });
  }
  return is_closed_ ? nullptr : latest_;
}

void StatusSource::close() noexcept {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  changed_.notify_all();
}

void StatusSource::serve() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_wanted_, false)) return;
  }
  auto taken = std::make_shared<const Status>(take_());
  const std::lock_guard lock(mutex_);
  latest_ = std::move(taken);
  changed_.notify_all();
}

}  // namespace adit::daemon
