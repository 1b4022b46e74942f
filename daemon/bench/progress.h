// What a person who waits sees.
#pragma once

#include <unistd.h>

#include <iostream>
#include <string>

namespace adit::bench {

/// A line on standard error if that is a terminal.
inline void print_progress(const std::string& text) {
  if (::isatty(STDERR_FILENO) != 0) std::cerr << text << std::endl;
}

}  // namespace adit::bench
