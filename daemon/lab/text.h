// Columns of text.
#pragma once

#include <algorithm>
#include <string>

namespace adit::lab {

/// Characters, not bytes: in UTF-8 all bytes of a character but the first begin with the bits 10.
inline size_t width_of(const std::string& text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char byte) { return (byte & 0xC0) != 0x80; }));
}

/// `text` at the left or right side of a column.
inline std::string left(const std::string& text, size_t width) {
  return text + std::string(width - std::min(width, width_of(text)), ' ');
}
inline std::string right(const std::string& text, size_t width) {
  return std::string(width - std::min(width, width_of(text)), ' ') + text;
}
inline std::string right(size_t number, size_t width) { return right(std::to_string(number), width); }

}  // namespace adit::lab
