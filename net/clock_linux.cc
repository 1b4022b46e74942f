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

Now read_clock() noexcept { return {Time(read(CLOCK_BOOTTIME)), WallTime(read(CLOCK_REALTIME))}; }

}  // namespace adit
