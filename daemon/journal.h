// Standard error, where systemd's journal reads it: the journal has times of its own, and takes priorities from what
// lines begin with (sd-daemon(3)).
#pragma once

#include <string>
#include <string_view>

#include "daemon/log.h"

namespace adit::daemon {

/// Whether what is written to `fd` is read by the journal.  `journal_stream`: $JOURNAL_STREAM, null where there is
/// none.
bool goes_to_journal(int fd, const char* journal_stream);
/// Whether standard error is.
bool is_stderr_for_journal();

/// `text` with the priority of `level` before each of its lines.
std::string with_priority(log::Level level, std::string_view text);

/// Says on standard error why the program ends.
void say_failure(const std::string& text);

}  // namespace adit::daemon
