// What is wrong with values that are right one by one: names and addresses given twice, forwards that lead nowhere.
#pragma once

#include "config/config.h"
#include "config/problems.h"
#include "config/read.h"

namespace adit::config {

/// Before the listeners are spelled out: a range of too many is a mistake like another.
void check(const Config& config, const Places& places, Problems& problems);

/// check()'s part for the forwards.
void check_forwards(const Config& config, const Places& places, Problems& problems);

/// check()'s part for where metrics are listened on.
void check_metrics(const Config& config, const Places& places, Problems& problems);

}  // namespace adit::config
