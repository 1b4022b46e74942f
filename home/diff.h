// What changes, for people. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "home/change.h"
#include "home/plan.h"

namespace adit::home {

/// The hunks of a unified diff with three lines of context; empty when both are the same. Control characters are shown
/// as \xNN, so that no file can write to the terminal what it likes.
std::string hunks_of(std::string_view before, std::string_view after);

/// A change as a diff with its header; of a secret file only that it is written, its size and mode. Empty when the file
/// stays as it is.
std::string to_diff(const Change& change);

/// Commands under a heading, each with its reason; empty when there are none.
std::string to_list(const std::string& heading, const std::vector<Command>& commands);

}  // namespace adit::home
