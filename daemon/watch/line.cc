#include "daemon/watch/line.h"

#include <array>

namespace adit::watch {
namespace {

constexpr std::array<std::string_view, 5> kEscapes = {"", "\x1b[1m", "\x1b[2m", "\x1b[32m", "\x1b[1;31m"};
constexpr std::string_view kPlain = "\x1b[0m";

bool continues(char byte) noexcept { return (static_cast<unsigned char>(byte) & 0xc0) == 0x80; }
bool is_control(char byte) noexcept { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f; }

}  // namespace

size_t columns_of(std::string_view text) noexcept {
  size_t columns = 0;
  for (const char byte : text) columns += continues(byte) ? 0 : 1;
  return columns;
}

Line& Line::add(std::string_view text, Colour colour) {
  std::string fitting;
  for (const char byte : text) {
    if (!continues(byte) && ++columns_ > width_) {
      columns_ = width_;
      break;
    }
    fitting += is_control(byte) ? '?' : byte;
  }
  if (fitting.empty()) return *this;
  const bool is_plain = !colours_ || colour == Colour::kNone;
  if (is_plain)
    text_ += fitting;
  else
    text_.append(kEscapes[static_cast<size_t>(colour)]).append(fitting).append(kPlain);
  return *this;
}

Line& Line::pad_to(size_t column) {
  if (columns_ < column) add(std::string(column - columns_, ' '));
  return *this;
}

}  // namespace adit::watch
