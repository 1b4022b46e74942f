// Peers are answered from the address they sent to for as long as the route to them leaves where they came in.
//
// How it works.  When something about routes has changed, each peer's way is looked at: at once, so that the next
// packet leaves as it should.  In a storm of changes looks are as far apart as makes them a small part of the work, and
// traffic is served in between, for of many peers some are done at a time.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "config/config.h"
#include "daemon/loop.h"
#include "net/route_watch.h"
#include "net/time.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

class RouteFollower {
 public:
  /// How far looks are apart at least, for each peer: 200 ms for ten thousand.  Looking takes a fraction of it.
  static constexpr Duration kIntervalPerPeer = std::chrono::microseconds(20);

  /// `mutex` guards the tunnel, and is not held while the kernel is asked.  `interface` has the port and the mark of
  /// the tunnel's sockets, which are in the namespace that the calling thread is in.  `changed` is called from the loop
  /// when next_deadline() has changed.  All are the caller's and outlive this. Without rtnetlink nothing is ever done.
  RouteFollower(Loop& loop, std::mutex& mutex, tunnel::Tunnel& tunnel, const config::Interface& interface,
                std::function<void()> changed);
  ~RouteFollower();
  RouteFollower(const RouteFollower&) = delete;
  RouteFollower& operator=(const RouteFollower&) = delete;

  /// Looks at some ways; call when next_deadline() has come, without the mutex.
  void tick(Time now);
  [[nodiscard]] Time next_deadline() const noexcept { return ways_.empty() ? next_look_ : Time{}; }

 private:
  void on_change();

  Loop& loop_;
  std::mutex& mutex_;
  tunnel::Tunnel& tunnel_;
  const config::Interface& interface_;
  std::function<void()> changed_;
  std::optional<RouteWatch> watch_;
  Time next_look_ = kNever;
  Time earliest_look_{};
  std::vector<tunnel::Way> ways_;  // still to be looked at
};

}  // namespace adit::daemon
