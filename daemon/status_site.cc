#include "daemon/status_site.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "daemon/http_headers.h"
#include "daemon/metrics.h"
#include "daemon/status_page.h"

namespace adit::daemon {
namespace {

constexpr std::string_view kJson = "application/json";

std::string json_text(const Status& status, const std::string&) {
  return status_of(status.config, status.snapshot).dump();
}

template <MetricsFormat Format>
std::string metrics(const Status& status, const std::string& version) {
  return metrics_text(status.config, status.snapshot, version, Format);
}

}  // namespace

HttpAnswer plain_answer(unsigned status, std::string text) {
  return {status, "text/plain; charset=utf-8", std::make_shared<const std::string>(std::move(text))};
}

HttpAnswer StatusSite::answer(const HttpRequest& request) {
  if (!is_by_address(request.host))
    return plain_answer(421, "Ask for this by an address or as localhost, not by another name.\n");
  if (request.method != "GET" && request.method != "HEAD") return plain_answer(405, "There is nothing to change here.\n");
  if (request.path == "/status.json") return answer_with(kJson, json_text);
  if (request.path == "/metrics") {
    if (!prefers_openmetrics(request.accept))
      return answer_with(content_type(MetricsFormat::kPrometheus), metrics<MetricsFormat::kPrometheus>);
    return answer_with(content_type(MetricsFormat::kOpenMetrics), metrics<MetricsFormat::kOpenMetrics>);
  }
  const auto file = std::ranges::find(kStatusPage, request.path, &PageFile::path);
  if (file == kStatusPage.end()) return plain_answer(404, "There are /, /status.json and /metrics here.\n");
  return {200, file->type, std::make_shared<const std::string>(file->content)};
}

/// Each text is made once for each status, however many ask for it.
HttpAnswer StatusSite::answer_with(std::string_view type, Text text) {
  std::shared_ptr<const Status> status = get_();
  if (!status) return plain_answer(503, "The gateway is going away.\n");
  if (status != shown_) texts_.clear();
  shown_ = std::move(status);
  std::shared_ptr<const std::string>& made = texts_[type];
  if (!made) made = std::make_shared<const std::string>(text(*shown_, version_));
  return {200, type, made};
}

}  // namespace adit::daemon
