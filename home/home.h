// From a configuration to everything the companion wants on the machine: pure, nothing is read and nothing is run.
#pragma once

#include "home/home_config.h"
#include "home/plan.h"

namespace adit::home {

/// Where the companion's own files are, but for those whose place others choose.
inline constexpr const char* kDirectory = "/usr/local/etc/adit/home";

/// The same configuration always gives the same plan, and no plan holds a secret.
Plan plan(const HomeConfig& config);

}  // namespace adit::home
