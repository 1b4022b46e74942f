// Handshakes without a tunnel.
#pragma once

#include "net/time.h"

namespace adit::bench {

/// How many whole handshakes one processor computes in a second, the work of both sides; measured for `time`.  Throws
/// std::runtime_error when one fails.
double handshakes_per_second(Duration time);

}  // namespace adit::bench
