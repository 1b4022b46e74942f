// Logging: spdlog to stderr, one line an event.  Secrets are never given to it.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace adit::daemon {

/// The levels of --log-level, most talkative first.
inline constexpr const char* kLogLevels[] = {"debug", "info", "warning", "error", "silent"};

/// Sets up the process's logger.  `level` is one of kLogLevels.
void start_log(const std::string& level);

/// "1 peer", "2 peers"
std::string counted(size_t count, const std::string& noun);

}  // namespace adit::daemon
