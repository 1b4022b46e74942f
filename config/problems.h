// What is wrong with a configuration, gathered while it is read, so that a person hears all of it at once.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace adit::config {

class Problems {
 public:
  void add(Place place, std::string text) { found_.push_back({place, std::move(text)}); }
  [[nodiscard]] size_t count() const noexcept { return found_.size(); }
  /// In the order of the file; at the same place, in the order they were found.
  [[nodiscard]] std::vector<Problem> in_order() &&;

 private:
  std::vector<Problem> found_;
};

/// Text from outside as it may be shown on a terminal: control characters as \xNN.
std::string visible(std::string_view text);

/// The same in quotes, cut short when it is long.
std::string in_quotes(std::string_view text);

/// "1 peer", "2 peers".
std::string counted(size_t count, const std::string& noun);

/// "line 12", to name a second place within a problem's text.
std::string line_of(Place place);

}  // namespace adit::config
