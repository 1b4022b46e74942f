// Where pictures are drawn: a terminal, whose screen is given back as it was, or anything else, block after block.
#pragma once

#include <chrono>
#include <csignal>
#include <string>
#include <vector>

#include "daemon/watch/render.h"

namespace adit::watch {

class Screen {
 public:
  /// Standard output.  From here on SIGINT, SIGTERM, SIGHUP and SIGWINCH come out of wait() only.
  Screen();
  ~Screen();
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Columns there are now; 80 where nobody says.
  [[nodiscard]] size_t width() const;
  [[nodiscard]] const Style& style() const noexcept { return style_; }
  /// In place of the last picture.  What is below the last row is left out.  Throws std::system_error.
  void draw(const std::vector<std::string>& lines);

  enum class Woken : uint8_t { kByTime, kBySize, kByEnd };
  [[nodiscard]] Woken wait(std::chrono::nanoseconds time) const;

 private:
  bool is_terminal_;  // one that knows escape sequences
  Style style_;
  sigset_t signals_;
  bool has_drawn_ = false;
};

}  // namespace adit::watch
