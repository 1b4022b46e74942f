// What a gateway counts, as text for Prometheus and others that speak its formats.  docs/metrics.md lists it.
#pragma once

#include <string>

#include "config/config.h"
#include "daemon/core.h"

namespace adit::daemon {

enum class MetricsFormat : uint8_t {
  kOpenMetrics,  // 1.0
  kPrometheus,   // the text format 0.0.4
};

/// "application/openmetrics-text; ..."
std::string_view content_type(MetricsFormat format) noexcept;

/// `version`: of the program.
std::string metrics_text(const config::Config& config, const Snapshot& snapshot, std::string_view version,
                         MetricsFormat format);

}  // namespace adit::daemon
