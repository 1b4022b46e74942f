// What a gateway is doing, as JSON: the contents of `adit show --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "config/config.h"
#include "daemon/core.h"

namespace adit::daemon {

/// Objects "interface", "peers", "forwards", "drops"; drop counters that are zero are left out.
nlohmann::ordered_json status_of(const config::Config& config, const Snapshot& snapshot);

}  // namespace adit::daemon
