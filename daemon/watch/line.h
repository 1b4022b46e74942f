// One line of a picture: its columns are counted, its colours are not.
#pragma once

#include <string>
#include <string_view>

namespace adit::watch {

enum class Colour : uint8_t { kNone, kBold, kDim, kGreen, kRed };

class Line {
 public:
  Line(size_t width, bool colours) : width_(width), colours_(colours) {}

  /// What does not fit is cut off.  Text is UTF-8, each code point a column; control characters become '?'.
  Line& add(std::string_view text, Colour colour = Colour::kNone);
  /// Blanks up to a column.
  Line& pad_to(size_t column);
  [[nodiscard]] size_t rest() const noexcept { return width_ - columns_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  size_t width_;
  bool colours_;
  size_t columns_ = 0;
  std::string text_;
};

/// In code points.
size_t columns_of(std::string_view text) noexcept;

}  // namespace adit::watch
