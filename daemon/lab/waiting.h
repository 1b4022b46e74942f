// Waiting: the only places where we can be interrupted, so that whatever it has built up is taken down in order.
#pragma once

#include <poll.h>

#include <functional>
#include <span>
#include <stdexcept>
#include <string>

#include "net/time.h"

namespace adit::lab {

/// Somebody pressed Ctrl-C, or asked by SIGTERM or SIGHUP.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// What was waited for has not come.
class TookTooLong : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// From now on SIGINT, SIGTERM and SIGHUP reach this process only inside the functions below, which then throw
/// Interrupted.
void hold_interrupts();
/// Undoes it, for a child process that is about to become another program.  Async-signal-safe.
void release_interrupts() noexcept;

/// Until one of `fds` can be read or `deadline` is over; says in them which can be.
void wait_readable(std::span<pollfd> fds, Time deadline);
void wait_readable(std::span<const int> fds, Time deadline);
void wait_until(Time deadline);

/// Until `condition` is true, which is asked again every millisecond.  Throws TookTooLong "`what`: not within
/// N s" when `patience` is over.
void wait_for(const std::string& what, seconds patience, const std::function<bool()>& condition);

}  // namespace adit::lab
