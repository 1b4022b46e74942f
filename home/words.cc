#include "home/words.h"

#include <algorithm>

namespace adit::home {
namespace {

bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_small(c) || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Letters and digits of ASCII, and some signs.
bool is_made_of(std::string_view text, size_t longest, std::string_view signs) {
  const auto is_allowed = [&](char c) { return is_letter(c) || is_digit(c) || signs.find(c) != signs.npos; };
  return !text.empty() && text.size() <= longest && std::ranges::all_of(text, is_allowed);
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

constexpr size_t kLongestInterface = 15;

}  // namespace

bool is_jail_name(std::string_view text) { return is_made_of(text, 31, "_-") && is_letter(text.front()); }

bool is_vnet_jail_name(std::string_view text) { return is_made_of(text, 11, "_") && is_letter(text.front()); }

bool is_interface(std::string_view text) { return is_made_of(text, kLongestInterface, "_") && is_letter(text.front()); }

bool is_egress(std::string_view text) {
  const size_t dot = text.find('.');
  const auto tag = dot == text.npos ? std::string_view("1") : text.substr(dot + 1);
  return text.size() <= kLongestInterface && is_interface(text.substr(0, dot)) && !tag.empty() &&
         std::ranges::all_of(tag, is_digit);
}

bool is_bridge_clone(std::string_view text) {
  constexpr std::string_view kDriver = "bridge";
  if (!text.starts_with(kDriver)) return false;
  text.remove_prefix(kDriver.size());
  return !text.empty() && text.size() <= 4 && std::ranges::all_of(text, is_digit) &&
         (text == "0" || text.front() != '0');
}

bool is_redirect_name(std::string_view text) { return is_made_of(text, 31, "_-"); }

bool is_hostname(std::string_view text) {
  constexpr size_t kLongest = 255;  // MAXHOSTNAMELEN less the final zero
  return is_made_of(text, kLongest, "-.") && text.front() != '.' && text.front() != '-' && text.back() != '.' &&
         text.find("..") == text.npos;
}

bool is_path(std::string_view text) {
  constexpr size_t kLongest = 255;
  if (text == "/") return true;
  if (!is_made_of(text, kLongest, "/_.-") || text.front() != '/' || text.back() == '/') return false;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('/', begin + 1), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part == "/" || part == "/." || part == "/..") return false;
    begin = end;
  }
  return true;
}

bool is_user(std::string_view text) {
  return is_made_of(text, 32, "_-") && (is_letter(text.front()) || text.front() == '_');
}

bool is_command(std::string_view text) {
  constexpr size_t kLongest = 1000;
  return !text.empty() && text.size() <= kLongest && is_printable(text);
}

bool is_rc_name(std::string_view text) {
  return is_made_of(text, 63, "_") && (is_small(text.front()) || text.front() == '_');
}

bool is_rc_value(std::string_view text) {
  constexpr size_t kLongest = 255;
  return text.size() <= kLongest && is_printable(text) && text.find_first_of("\"\\$`") == text.npos;
}

}  // namespace adit::home
