#include "daemon/log.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace adit::daemon {

void start_log(const std::string& level) {
  auto logger = spdlog::stderr_logger_st("adit");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
  logger->set_level(level == "silent" ? spdlog::level::off : spdlog::level::from_str(level));
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
}

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace adit::daemon
