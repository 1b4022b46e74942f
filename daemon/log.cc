#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "daemon/journal.h"

namespace adit::daemon {
namespace {

/// Set before anything is logged.
bool is_for_journal = false;

spdlog::level::level_enum to_spdlog(log::Level level) {
  switch (level) {
    case log::Level::kDebug:
      return spdlog::level::debug;
    case log::Level::kInfo:
      return spdlog::level::info;
    case log::Level::kWarning:
      return spdlog::level::warn;
    case log::Level::kError:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

void start_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_st("adit");
  is_for_journal = is_stderr_for_journal();
  logger->set_pattern(is_for_journal ? "%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  logger->set_level(level == "silent" ? spdlog::level::off : spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

void log::write_formatted(Level level, fmt::string_view format, fmt::format_args arguments) {
  const spdlog::level::level_enum wanted = to_spdlog(level);
  if (!spdlog::should_log(wanted)) return;
  const std::string text = fmt::vformat(format, arguments);
  spdlog::log(wanted, is_for_journal ? with_priority(level, text) : text);
}

}  // namespace adit::daemon
