#include "daemon/http_headers.h"

#include <algorithm>
#include <optional>

#include "config/values.h"
#include "net/addr.h"

namespace adit::daemon {
namespace {

bool is_digit(char letter) noexcept { return letter >= '0' && letter <= '9'; }

/// `lower` is lower-case already.
bool is_word(std::string_view text, std::string_view lower) noexcept {
  const auto is_same = [](char letter, char small) { return config::lower_case(letter) == small; };
  return std::ranges::equal(text, lower, is_same);
}

std::string_view trimmed(std::string_view text) noexcept {
  const size_t begin = std::min(text.find_first_not_of(" \t"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// What stands before `mark`, which leaves `text` with it; all of it where there is none.
std::string_view take_until(std::string_view& text, char mark) noexcept {
  const std::string_view taken = text.substr(0, text.find(mark));
  text.remove_prefix(std::min(taken.size() + 1, text.size()));
  return trimmed(taken);
}

bool is_port_or_nothing(std::string_view text) noexcept {
  if (text.empty()) return true;
  const std::string_view digits = text.substr(1);
  return text.front() == ':' && digits.size() <= 5 && std::ranges::all_of(digits, is_digit);
}

/// RFC 9110 12.4.2, in thousandths; what is no weight is none.
int weight_of(std::string_view text) noexcept {
  if (text.empty() || text.size() > 5 || (text[0] != '0' && text[0] != '1')) return 0;
  int thousandths = (text[0] - '0') * 1000;
  if (text.size() > 1 && text[1] != '.') return 0;
  int unit = 100;
  for (const char digit : text.substr(std::min<size_t>(text.size(), 2))) {
    if (!is_digit(digit)) return 0;
    thousandths += (digit - '0') * unit;
    unit /= 10;
  }
  return std::min(thousandths, 1000);
}

/// "text/plain; version=0.0.4; q=0.5"
struct MediaRange {
  std::string_view type;
  std::string_view version;
  int weight = 1000;
};

MediaRange read_range(std::string_view text) noexcept {
  MediaRange range;
  range.type = take_until(text, ';');
  while (!text.empty()) {
    std::string_view value = take_until(text, ';');
    const std::string_view name = take_until(value, '=');
    if (is_word(name, "q")) range.weight = weight_of(value);
    if (is_word(name, "version")) range.version = value;
  }
  return range;
}

bool is_openmetrics(const MediaRange& range) noexcept {
  const bool has_version = range.version.empty() || range.version == "1.0.0" || range.version == "\"1.0.0\"";
  return has_version && is_word(range.type, "application/openmetrics-text");
}

}  // namespace

bool is_by_address(std::string_view host) noexcept {
  if (host.starts_with('[')) {
    const size_t end = host.find(']');
    if (end == host.npos || !is_port_or_nothing(host.substr(end + 1))) return false;
    const std::string_view inside = host.substr(1, end - 1);
    return inside.find(':') != inside.npos && Ip::parse(inside);
  }
  const std::string_view name = host.substr(0, host.find(':'));
  if (!is_port_or_nothing(host.substr(name.size()))) return false;
  return is_word(name, "localhost") || Ip::parse(name);
}

bool prefers_openmetrics(std::string_view accept) noexcept {
  int openmetrics = 0;
  int text = 0;
  while (!accept.empty()) {
    const MediaRange range = read_range(take_until(accept, ','));
    if (is_openmetrics(range)) openmetrics = std::max(openmetrics, range.weight);
    if (is_word(range.type, "text/plain")) text = std::max(text, range.weight);
  }
  return openmetrics > 0 && openmetrics >= text;
}

}  // namespace adit::daemon
