// "Did you mean ...?"
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace adit::config {

/// The candidate that `name` is most likely a misspelling of, if any is near: case, `_` and `-` do not count (so that
/// wg-quick's ListenPort finds listen_port), and otherwise at most one letter in three is added, left out, changed or
/// swapped with its neighbour.
std::optional<std::string> nearest_name(std::string_view name, std::span<const std::string> candidates);

/// " (did you mean "listen_port"?)", or nothing.
std::string suggestion(std::string_view name, std::span<const std::string> candidates);

}  // namespace adit::config
