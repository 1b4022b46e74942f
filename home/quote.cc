#include "home/quote.h"

namespace adit::home {

std::string jail_quoted(std::string_view text) {
  std::string quoted(1, '"');
  for (const char c : text) {
    if (c == '\\' || c == '"' || c == '$') quoted += '\\';
    quoted += c;
  }
  return quoted += '"';
}

std::string sh_quoted(std::string_view text) {
  std::string quoted(1, '\'');
  for (const char c : text) {
    if (c == '\'') {
      quoted += "'\\''";
    } else {
      quoted += c;
    }
  }
  return quoted += '\'';
}

std::string in_double_quotes(std::string_view word) {
  std::string quoted(1, '"');
  quoted += word;
  return quoted += '"';
}

}  // namespace adit::home
