// Time as the protocol core sees it: always an argument, never read.
//
// `Time` is monotonic and keeps counting while the machine sleeps (a key that aged during suspend is an old key);
// `WallTime` is only for what the protocol puts on the wire or shows to people.  clock.h is where both are read.
#pragma once

#include <chrono>

namespace adit {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

using Duration = nanoseconds;

/// A clock without a now(): code that holds only this header cannot read the time.
struct MonotonicClock {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<MonotonicClock>;
  static constexpr bool is_steady = true;
};

using Time = MonotonicClock::time_point;
using WallTime = std::chrono::sys_time<nanoseconds>;

/// "No deadline": later than every time the program will see.
inline constexpr Time kNever = Time::max();

/// Taken once per wake-up and handed down.
struct Now {
  Time mono;
  WallTime wall;
};

}  // namespace adit
