// What is to be seen over HTTP: the status page, what it shows as JSON, and metrics.  No I/O.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "daemon/status.h"

namespace adit::daemon {

struct HttpRequest {
  std::string_view method;
  std::string_view path;  // without what follows a "?"
  std::string_view host;
  std::string_view accept;
};

struct HttpAnswer {
  unsigned status;
  std::string_view type;
  std::shared_ptr<const std::string> body;  // not to be sent to HEAD
};

HttpAnswer plain_answer(unsigned status, std::string text);

/// For one thread.
class StatusSite {
 public:
  /// What there is to show; nothing: the gateway is going away.
  using Get = std::function<std::shared_ptr<const Status>()>;

  StatusSite(std::string version, Get get) : version_(std::move(version)), get_(std::move(get)) {}

  [[nodiscard]] HttpAnswer answer(const HttpRequest& request);

 private:
  using Text = std::string (*)(const Status& status, const std::string& version);
  HttpAnswer answer_with(std::string_view type, Text text);

  const std::string version_;
  const Get get_;
  std::shared_ptr<const Status> shown_;
  std::map<std::string_view, std::shared_ptr<const std::string>> texts_;  // of what is shown, by type
};

}  // namespace adit::daemon
