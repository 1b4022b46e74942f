// The benchmarks of `adit bench`.  All figures are medians over rounds in which contestants take turns.
#pragma once

#include "daemon/bench/figures.h"

namespace adit::bench {

/// Sealing and opening by each implementation that this machine can run, and handshakes; takes `time` in all.
Outcome bench_crypto(seconds time);

struct TunnelOptions {
  seconds time{2};      // of each measurement
  unsigned rounds = 5;  // at least 1
  std::string against;  // a program with wireguard-go's command line; empty: adit alone
};
/// A tunnel between two throw-away machines.  This and bench_forward throw std::runtime_error that says what is missing
/// or has failed, and lab::Interrupted; all that they have built is gone with their end.
Outcome bench_tunnel(const TunnelOptions& options);

/// The demo's world with 32 players; each step takes `time`.
Outcome bench_forward(seconds time);

}  // namespace adit::bench
