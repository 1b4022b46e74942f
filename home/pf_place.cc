#include "home/pf_place.h"

#include <algorithm>
#include <array>
#include <string>

namespace adit::home {
namespace {

constexpr auto kRules =
    std::to_array<std::string_view>({"nat", "rdr", "binat", "nat-anchor", "rdr-anchor", "binat-anchor", "pass", "block",
                                     "match", "anchor", "antispoof"});
constexpr std::array<std::string_view, 3> kTranslations = {"nat", "rdr", "binat"};

template <typename Words>
bool holds(const Words& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

bool is_word(char character) {
  const auto between = [&](char low, char high) { return low <= character && character <= high; };
  return between('a', 'z') || between('A', 'Z') || between('0', '9') || character == '-' || character == '_';
}

/// One statement after another, of each its first words.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  size_t find_rule() {
    while (at_ < text_.size()) {
      const size_t start = at_;
      if (is_rule()) return start;
      skip_statement();
    }
    return text_.size();
  }

 private:
  [[nodiscard]] char peek() const { return text_[at_]; }

  /// A backslash and its newline are nothing; before anything else, backslashes are two of a kind.
  bool skip_continuation() {
    if (peek() != '\\' || at_ + 1 >= text_.size() || text_[at_ + 1] != '\n') return false;
    at_ += 2;
    return true;
  }

  void skip_blanks() {
    while (at_ < text_.size()) {
      if (skip_continuation()) continue;
      if (peek() != ' ' && peek() != '\t') return;
      ++at_;
    }
  }

  std::string read_word() {
    skip_blanks();
    std::string word;
    while (at_ < text_.size()) {
      if (skip_continuation()) continue;
      if (!is_word(peek())) break;
      word += text_[at_++];
    }
    return word;
  }

  bool is_rule() {
    const std::string first = read_word();
    if (first == "no") return holds(kTranslations, read_word());
    if (first == "load") return read_word() == "anchor";
    if (!holds(kRules, first)) return false;
    skip_blanks();
    return at_ >= text_.size() || peek() != '=';
  }

  /// To its newline, which stays; backslashes before anything but a newline take that with them.
  void skip_comment() {
    while (at_ < text_.size() && peek() != '\n') at_ += peek() == '\\' ? 2 : 1;
    at_ = std::min(at_, text_.size());
  }

  void skip_quoted(char quote) {
    while (at_ < text_.size() && peek() != quote) at_ += peek() == '\\' ? 2 : 1;
    at_ = std::min(at_ + 1, text_.size());
  }

  /// Past the newline that ends the statement.
  void skip_statement() {
    size_t depth = 0;
    while (at_ < text_.size()) {
      const char character = peek();
      if (character == '#') {
        skip_comment();
        continue;
      }
      at_ += character == '\\' ? 2 : 1;
      if (character == '"' || character == '\'') skip_quoted(character);
      if (character == '{') ++depth;
      if (character == '}' && depth > 0) --depth;
      if (character == '\n' && depth == 0) break;
    }
    at_ = std::min(at_, text_.size());
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

size_t find_pf_translation(std::string_view pf_conf) { return Scanner(pf_conf).find_rule(); }

}  // namespace adit::home
