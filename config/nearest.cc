#include "config/nearest.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "config/problems.h"
#include "config/values.h"

namespace adit::config {
namespace {

std::string simplified(std::string_view name) {
  std::string letters;
  for (const char character : name) {
    if (character == '_' || character == '-') continue;
    letters += lower_case(character);
  }
  return letters;
}

/// Restricted Damerau-Levenshtein distance: additions, omissions, changes and swaps of neighbours.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last = std::exchange(last, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates) {
  const std::string wanted = simplified(name);
  size_t nearest = wanted.size() / 3 + 1;  // one more than what is still near
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    const std::string other = simplified(candidate);
    const size_t difference = std::max(wanted.size(), other.size()) - std::min(wanted.size(), other.size());
    if (difference >= nearest) continue;
    const size_t distance = edit_distance(wanted, other);
    if (distance >= nearest) continue;
    nearest = distance;
    found = candidate;
  }
  return found;
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
  const auto near = nearest_name(name, candidates);
  return near ? " (did you mean " + in_quotes(*near) + "?)" : "";
}

}  // namespace adit::config
