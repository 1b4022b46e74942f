// What is refused before toml++ 3.3 sees it: what it cannot bear, and what deserves a clearer word than it has.
#pragma once

#include <optional>
#include <string_view>

#include "config/config.h"

namespace adit::config {

/// The first thing that keeps a text from being parsed; nothing for almost every text.  What is refused:
///
/// - A zero byte, or another control character outside of quotes: this is no text file.
/// - A key of many dots.  toml++ builds one table per dot and takes them down again recursively: ten thousands of them
///   exhaust the stack.
/// - Letters beyond ASCII outside of quotes and comments, where TOML has no place for them.  toml++ would look them up
///   as possible blanks in a table that has a hole (see CMakeLists.txt).
/// - Strings of several lines, for which we have no use: so quotes close on their line.
/// - A section without a name, such as "[]" or "[[[peer]]]", over which toml++ fails an assertion.
/// - A colon outside of quotes: most likely an endpoint whose quotes are missing, else a time of day, for which we have
///   no use.
std::optional<Problem> fault_of_text(std::string_view text);

}  // namespace adit::config
