#include "config/problems.h"

#include <algorithm>
#include <tuple>

namespace adit::config {
namespace {

std::string joined(const std::string& file, const std::vector<Problem>& problems) {
  std::string lines;
  for (const auto& [place, text] : problems) {
    if (!lines.empty()) lines += '\n';
    lines += file + ":";
    if (place.line != 0) lines += std::to_string(place.line) + ":" + std::to_string(place.column) + ":";
    lines += " " + text;
  }
  return lines;
}

}  // namespace

ConfigError::ConfigError(const std::string& file, std::vector<Problem> problems)
    : std::runtime_error(joined(file, problems)), problems_(std::move(problems)) {}

std::vector<Problem> Problems::in_order() && {
  std::ranges::stable_sort(found_, {},
                           [](const Problem& problem) { return std::tuple(problem.place.line, problem.place.column); });
  return std::move(found_);
}

std::string visible(std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string shown;
  for (const char character : text) {
    const auto byte = static_cast<uint8_t>(character);
    if (byte >= 0x20 && byte != 0x7f) {
      shown += character;
    } else {
      shown += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return shown;
}

std::string in_quotes(std::string_view text) {
  constexpr size_t kLongest = 200;
  const auto is_continuation = [](char character) { return (static_cast<uint8_t>(character) & 0xc0) == 0x80; };
  size_t size = std::min(text.size(), kLongest);
  while (size > 0 && size < text.size() && is_continuation(text[size])) --size;  // cut between UTF-8 characters
  std::string shown(1, '"');
  shown += visible(text.substr(0, size));
  return shown += size < text.size() ? "...\"" : "\"";
}

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string line_of(Place place) { return std::string("line ") + std::to_string(place.line); }

}  // namespace adit::config
