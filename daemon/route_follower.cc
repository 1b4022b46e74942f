#include "daemon/route_follower.h"

#include <algorithm>
#include <system_error>

#include "daemon/log.h"
#include "net/clock.h"

namespace adit::daemon {
namespace {

constexpr size_t kWaysPerTick = 64;

}  // namespace

RouteFollower::RouteFollower(Loop& loop, std::mutex& mutex, tunnel::Tunnel& tunnel, const config::Interface& interface,
                             std::function<void()> changed)
    : loop_(loop), mutex_(mutex), tunnel_(tunnel), interface_(interface), changed_(std::move(changed)) {
  try {
    watch_.emplace();
  } catch (const std::system_error& error) {
    log::debug("routes are not followed: {}", error.what());
    return;
  }
  loop_.on_readable(watch_->fd(), [this] { on_change(); });
}

RouteFollower::~RouteFollower() {
  if (watch_) loop_.unwatch(watch_->fd());
}

void RouteFollower::on_change() {
  if (!watch_->drain() || next_look_ != kNever) return;
  next_look_ = std::max(read_clock().mono, earliest_look_);
  changed_();
}

void RouteFollower::tick(Time now) {
  if (ways_.empty() && now >= next_look_) {
    next_look_ = kNever;
    const std::lock_guard lock(mutex_);
    ways_ = tunnel_.ways();
    earliest_look_ = now + ways_.size() * kIntervalPerPeer;
  }
  for (size_t looked = 0; looked < kWaysPerTick && !ways_.empty(); ++looked) {
    const tunnel::Way& way = ways_.back();
    const bool open = watch_->leads_out(way.remote, way.local, interface_.listen_port, interface_.fwmark);
    {
      const std::lock_guard lock(mutex_);
      tunnel_.open_way(way, open);
    }
    ways_.pop_back();
  }
}

}  // namespace adit::daemon
