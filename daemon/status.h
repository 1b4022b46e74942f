// What a gateway is doing, as JSON: the contents of `adit show --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "daemon/gateway.h"

namespace adit::daemon {

/// Objects "interface", "peers", "forwards", "drops"; drop counters that are zero are left out.
nlohmann::ordered_json status_of(const Gateway& gateway);

}  // namespace adit::daemon
