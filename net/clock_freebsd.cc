#include <ctime>

#include "net/clock.h"

namespace adit {
namespace {

Duration read(clockid_t clock) noexcept {
  timespec ts{};
  clock_gettime(clock, &ts);
  return seconds(ts.tv_sec) + nanoseconds(ts.tv_nsec);
}

}  // namespace

/// CLOCK_MONOTONIC goes on here while the machine sleeps; it is CLOCK_UPTIME that does not.
Now read_clock() noexcept { return {Time(read(CLOCK_MONOTONIC)), WallTime(read(CLOCK_REALTIME))}; }

}  // namespace adit
