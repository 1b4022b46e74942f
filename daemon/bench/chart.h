// What a benchmark has found, as a drawing.
#pragma once

#include <string>
#include <vector>

#include "daemon/bench/figures.h"

namespace adit::bench {

/// SVG text, for light and for dark pages: a group of bars for each of `figures` (Results::json), a bar for each
/// contestant as long as its median is beside the group's largest value, and a line from its lowest to its highest
/// round. `heading`: lines above, the first of which is the title.
std::string chart_svg(const std::vector<std::string>& heading, const Json& figures);

}  // namespace adit::bench
