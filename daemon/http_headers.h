// What a client of the status page says about itself, judged.  Pure functions.
#pragma once

#include <string_view>

namespace adit::daemon {

/// Whether a Host header names this machine by an address or as "localhost", with or without a port.  A page elsewhere
/// whose name was made to lead here (DNS rebinding) still says its own name.
bool is_by_address(std::string_view host) noexcept;

/// Whether an Accept header (RFC 9110 12.5.1) wants OpenMetrics 1.0 at least as much as plain text.
bool prefers_openmetrics(std::string_view accept) noexcept;

}  // namespace adit::daemon
