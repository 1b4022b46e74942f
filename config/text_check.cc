#include "config/text_check.h"

#include <algorithm>

namespace adit::config {
namespace {

Place place_at(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const size_t line_begin = before.rfind('\n') + 1;  // npos + 1 is 0
  return {static_cast<uint32_t>(std::ranges::count(before, '\n') + 1), static_cast<uint32_t>(offset - line_begin + 1)};
}

bool is_quote(char character) { return character == '"' || character == '\''; }

bool is_control(char character) {
  const bool is_blank = character == '\t' || character == '\r' || character == '\n';
  return (static_cast<uint8_t>(character) < 0x20 && !is_blank) || character == 0x7f;
}

/// Goes once through a text, past what is in quotes and comments.
class Scan {
 public:
  explicit Scan(std::string_view text) : text_(text) {}

  /// Why the text cannot be parsed; then offset() is where.
  std::optional<std::string_view> fault() {
    while (at_ < text_.size()) {
      if (const auto found = fault_here()) return found;
      advance();
    }
    return {};
  }
  [[nodiscard]] size_t offset() const { return at_; }

 private:
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  std::optional<std::string_view> fault_here() {
    constexpr int kMostDots = 32;  // on one line; ours need none
    const char character = text_[at_];
    if (static_cast<uint8_t>(character) >= 0x80) return "only quotes and comments may hold letters beyond ASCII";
    if (is_control(character)) return "a control character: this is not a text file";
    if (character == ':') return "a colon outside of quotes: such a value is text and stands in quotes";
    if (character == '.' && ++dots_ > kMostDots) return "too many dots outside of quotes";
    if (character == '[' && is_line_begin_ && !is_section_named()) return "this is not TOML: a section needs a name";
    const bool is_long_string = rest().starts_with("\"\"\"") || rest().starts_with("'''");
    if (is_long_string) return "strings of several lines have no use here";
    return {};
  }

  void advance() {
    const char character = text_[at_];
    if (character == '\n') dots_ = 0;
    is_line_begin_ = character == '\n' || (is_line_begin_ && (character == ' ' || character == '\t'));
    if (is_quote(character)) {
      skip_string(character);
    } else if (character == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else {
      ++at_;
    }
  }

  /// To behind the closing quote; a string ends with its line at the latest.
  void skip_string(char quote) {
    for (++at_; at_ < text_.size() && text_[at_] != '\n'; ++at_) {
      if (text_[at_] == quote) {
        ++at_;
        return;
      }
      const bool is_escape = quote == '"' && text_[at_] == '\\';
      if (is_escape && at_ + 1 < text_.size() && text_[at_ + 1] != '\n') ++at_;
    }
  }

  [[nodiscard]] bool is_section_named() const {
    constexpr std::string_view kKeyBegins = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_\"'";
    std::string_view name = rest().substr(rest().starts_with("[[") ? 2 : 1);
    name.remove_prefix(std::min(name.find_first_not_of(" \t"), name.size()));
    return !name.empty() && kKeyBegins.find(name.front()) != kKeyBegins.npos;
  }

  std::string_view text_;
  size_t at_ = 0;
  int dots_ = 0;  // on this line
  bool is_line_begin_ = true;
};

}  // namespace

std::optional<Problem> fault_of_text(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  const size_t zero = text.find('\0');
  if (zero != text.npos) return Problem{place_at(text, zero), "a zero byte: this is not a text file"};
  Scan scan(text);
  const auto fault = scan.fault();
  if (!fault) return {};
  return Problem{place_at(text, scan.offset()), std::string(*fault)};
}

}  // namespace adit::config
