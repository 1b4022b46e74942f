// The two text formats that metrics are read in, which differ in what they say about a family.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/metrics.h"

namespace adit::daemon {

enum class MetricType : uint8_t { kCounter, kGauge, kInfo };

/// `name` is without the "_total" of counters and the "_info" of infos; it ends with its unit, if it has one.  `help`
/// has no quotes, backslashes or line ends.
struct MetricFamily {
  MetricType type;
  std::string_view name;
  std::string_view unit;
  std::string_view help;
};

using MetricLabels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

class MetricsWriter {
 public:
  explicit MetricsWriter(MetricsFormat format) : format_(format) {}

  /// The samples that follow are this family's, until the next one begins.
  void begin(const MetricFamily& family);
  void sample(MetricLabels labels, uint64_t value) { write_sample(labels, std::to_string(value)); }
  void sample_milliseconds(MetricLabels labels, uint64_t value);
  [[nodiscard]] std::string finish() &&;

 private:
  void describe(std::string_view what, std::string_view name, std::string_view text);
  void write_sample(MetricLabels labels, std::string_view value);

  MetricsFormat format_;
  std::string sample_name_;
  std::string text_;
};

}  // namespace adit::daemon
