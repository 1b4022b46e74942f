// The commands of a plan.
#pragma once

#include "home/home_config.h"
#include "home/plan.h"

namespace adit::home {

/// Checks, start and stop, for files and blocks that are in the plan already.
void add_steps(Plan& plan, const HomeConfig& config);

}  // namespace adit::home
