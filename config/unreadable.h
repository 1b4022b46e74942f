// What load() throws when there is no configuration to find fault with.
#pragma once

#include <system_error>

namespace adit::config {

/// The file is not there, or this process may not read it.  what() has its name.
class UnreadableError : public std::system_error {
 public:
  explicit UnreadableError(const std::system_error& reason) : std::system_error(reason) {}
};

}  // namespace adit::config
