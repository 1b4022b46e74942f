// What home must do so that answers to clients' own addresses come back through the tunnel, for people to paste.
#pragma once

#include <nlohmann/json.hpp>

namespace adit::daemon {

/// Prints it for one gateway; `gateway` is what the gateway says of itself (daemon/status.h).
void print_home_routes(const nlohmann::ordered_json& gateway);

}  // namespace adit::daemon
