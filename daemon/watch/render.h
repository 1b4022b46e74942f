// The picture that `adit show --watch` draws, as lines.  Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "daemon/watch/history.h"

namespace adit::watch {

struct Style {
  bool colours = false;  // by escape sequences
  bool unicode = false;  // blocks, else ASCII
};

/// The narrowest that is drawn for; terminals that are narrower break lines.
inline constexpr size_t kLeastWidth = 40;

/// Rates as bars, the largest of them the highest; `width` of the latest.  In UTF-8, or ASCII.
std::string sparkline(const std::vector<double>& rates, size_t width, bool unicode);

/// `gateway` as of daemon/status.h; `history` has it as the last; `now` in seconds since 1970.  No line takes more than
/// `width` columns, escape sequences not counted.
std::vector<std::string> render(const nlohmann::ordered_json& gateway, const History& history, int64_t now,
                                size_t width, const Style& style);

/// For a gateway that does not answer (any more).
std::vector<std::string> render_gone(const std::string& interface, size_t width, const Style& style);

}  // namespace adit::watch
