// The one place where the time is read.
#pragma once

#include "net/time.h"

namespace adit {

/// Monotonic time that goes on while the machine sleeps, and wall-clock time.
Now read_clock() noexcept;

}  // namespace adit
