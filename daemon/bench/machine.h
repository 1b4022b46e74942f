// What the system says of this machine and of processes on it.  One implementation file per system.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "net/time.h"

namespace adit::bench {

/// The circumstances that a reader of figures must know.
struct Machine {
  std::string processor;
  unsigned processors = 0;
  std::string system;  // "Linux 6.18.5"
  double load = 0;     // processes that wanted to run, on average over the last minute
};
Machine this_machine();

/// What a process has cost so far, all its threads together.
struct ProcessCost {
  Duration processor_time{};    // in steps of a hundredth of a second
  uint64_t resident_bytes = 0;  // at the moment
};
/// Throws std::runtime_error when there is no such process.
ProcessCost cost_of(pid_t process);

}  // namespace adit::bench
