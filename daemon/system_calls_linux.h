// Which system calls a running gateway may make.
#pragma once

#include <span>

namespace adit::daemon {

/// What the build's own run-time library needs besides, by name: the sanitizers' (runtime_calls_*_linux.cc).
std::span<const char* const> runtime_calls() noexcept;

/// From here on, for all threads there are and will be, a call that is not on the list is answered as by a kernel that
/// does not have it (ENOSYS), and one of the few that nothing but an intruder makes ends the process.  `is_strict`: any
/// call that is not on the list ends it.  What ended it is in the kernel's log (type=1326).  Not what was refused: each
/// new thread has one such call, clone3.  `more`: calls beside those that every gateway makes.  Throws
/// std::system_error.
void filter_system_calls(bool is_strict, std::span<const char* const> more = runtime_calls());

}  // namespace adit::daemon
