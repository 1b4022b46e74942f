#include "daemon/journal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

namespace adit::daemon {
namespace {

/// syslog(3)'s.
char priority_of(log::Level level) {
  switch (level) {
    case log::Level::kDebug:
      return '7';
    case log::Level::kInfo:
      return '6';
    case log::Level::kWarning:
      return '4';
    case log::Level::kError:
      break;
  }
  return '3';
}

}  // namespace

bool goes_to_journal(int fd, const char* journal_stream) {
  struct stat file {};
  if (journal_stream == nullptr || ::fstat(fd, &file) < 0) return false;
  return std::to_string(file.st_dev) + ":" + std::to_string(file.st_ino) == journal_stream;
}

bool is_stderr_for_journal() { return goes_to_journal(STDERR_FILENO, std::getenv("JOURNAL_STREAM")); }

std::string with_priority(log::Level level, std::string_view text) {
  const char prefix[] = {'<', priority_of(level), '>', '\0'};
  std::string lines = prefix;
  for (const char each : text) {
    lines += each;
    if (each == '\n') lines += prefix;
  }
  return lines;
}

void say_failure(const std::string& text) {
  std::cerr << (is_stderr_for_journal() ? with_priority(log::Level::kError, text) : text) << "\n";
}

}  // namespace adit::daemon
