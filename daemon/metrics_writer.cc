#include "daemon/metrics_writer.h"

namespace adit::daemon {
namespace {

std::string_view suffix_of(MetricType type) {
  switch (type) {
    case MetricType::kCounter:
      return "_total";
    case MetricType::kInfo:
      return "_info";
    case MetricType::kGauge:
      break;
  }
  return "";
}

/// The older format knows no infos.
std::string_view type_name(MetricType type, MetricsFormat format) {
  if (type == MetricType::kCounter) return "counter";
  return type == MetricType::kInfo && format == MetricsFormat::kOpenMetrics ? "info" : "gauge";
}

/// Both formats escape the same three in a label's value.
void append_escaped(std::string& text, std::string_view value) {
  for (const char letter : value) {
    if (letter == '\\' || letter == '"') text += '\\';
    if (letter == '\n')
      text += "\\n";
    else
      text += letter;
  }
}

}  // namespace

void MetricsWriter::describe(std::string_view what, std::string_view name, std::string_view text) {
  text_.append("# ").append(what).append(" ").append(name).append(" ").append(text).append("\n");
}

void MetricsWriter::begin(const MetricFamily& family) {
  sample_name_ = family.name;
  sample_name_ += suffix_of(family.type);
  const bool is_open = format_ == MetricsFormat::kOpenMetrics;
  const std::string name(is_open ? family.name : sample_name_);
  describe("HELP", name, family.help);
  describe("TYPE", name, type_name(family.type, format_));
  if (is_open && !family.unit.empty()) describe("UNIT", name, family.unit);
}

void MetricsWriter::write_sample(MetricLabels labels, std::string_view value) {
  text_ += sample_name_;
  char before = '{';
  for (const auto& [name, content] : labels) {
    text_ += before;
    text_.append(name).append("=\"");
    append_escaped(text_, content);
    text_ += '"';
    before = ',';
  }
  if (labels.size() > 0) text_ += '}';
  text_.append(" ").append(value).append("\n");
}

void MetricsWriter::sample_milliseconds(MetricLabels labels, uint64_t value) {
  const std::string rest = std::to_string(value % 1000);
  write_sample(labels, std::to_string(value / 1000) + "." + std::string(3 - rest.size(), '0') + rest);
}

std::string MetricsWriter::finish() && {
  if (format_ == MetricsFormat::kOpenMetrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace adit::daemon
