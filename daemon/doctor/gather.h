// Collects the Facts: reads files, asks the gateway, pings through its tunnel.  Changes nothing.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "daemon/doctor/facts.h"

namespace adit::doctor {

struct Request {
  std::filesystem::path config;
  bool is_config_meant = false;  // it was named, not merely where configurations are
  std::optional<std::string> interface;
  std::chrono::milliseconds time{2000};  // between the two looks, at least
};

/// Throws std::runtime_error when it is not clear which gateway is meant.
Facts gather(const Request& request);

}  // namespace adit::doctor
