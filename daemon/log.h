// Logging: spdlog to stderr, one line an event.  Secrets are never given to it.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <string>

namespace adit::daemon {

/// The levels of --log-level, most talkative first.
inline constexpr const char* kLogLevels[] = {"debug", "info", "warning", "error", "silent"};

/// Sets up the process's logger.  `level` is one of kLogLevels.
void start_log(const std::string& level);

/// log::info("{} is {}", name, state): {fmt}'s formats, checked when compiled.  What formats them is compiled once, in
/// log.cc; with sanitizers it takes ten seconds in each file that has it.
namespace log {

enum class Level { kDebug, kInfo, kWarning, kError };

void write_formatted(Level level, fmt::string_view format, fmt::format_args arguments);

template <typename... Args>
void write(Level level, fmt::format_string<Args...> format, Args&&... arguments) {
  write_formatted(level, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... arguments) {
  write_formatted(Level::kDebug, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... arguments) {
  write_formatted(Level::kInfo, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... arguments) {
  write_formatted(Level::kWarning, format, fmt::make_format_args(arguments...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... arguments) {
  write_formatted(Level::kError, format, fmt::make_format_args(arguments...));
}

}  // namespace log

}  // namespace adit::daemon
