#include "config/toml_writer.h"

#include <algorithm>

#include "config/problems.h"

namespace adit::config {
namespace {

/// How many bytes the UTF-8 character at the beginning takes (RFC 3629 4); 0 when there is none.
size_t character_size(std::string_view text) {
  const auto byte = [&](size_t at) { return at < text.size() ? static_cast<uint8_t>(text[at]) : uint8_t{0}; };
  const auto is_within = [&](size_t at, uint8_t low, uint8_t high) { return byte(at) >= low && byte(at) <= high; };
  const auto is_tail = [&](size_t at) { return is_within(at, 0x80, 0xbf); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return is_tail(1) ? 2 : 0;
  const uint8_t low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;   // nothing longer than need be
  const uint8_t high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;  // no surrogates, nothing beyond Unicode
  if (first >= 0xe0 && first <= 0xef) return is_within(1, low, high) && is_tail(2) ? 3 : 0;
  if (first >= 0xf0 && first <= 0xf4) return is_within(1, low, high) && is_tail(2) && is_tail(3) ? 4 : 0;
  return 0;
}

std::string hex_of(char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto value = static_cast<uint8_t>(byte);
  return {kHex[value >> 4], kHex[value & 15]};
}

/// Text as it may stand in a comment.
std::string commentable(std::string_view text) {
  std::string shown;
  while (!text.empty()) {
    const size_t size = character_size(text);
    shown += size == 0 ? "\\x" + hex_of(text.front()) : visible(text.substr(0, size));
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return shown;
}

std::string in_toml_quotes(std::string_view text) {
  std::string quoted(1, '"');
  for (const char c : text) {
    const bool is_control = static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
    if (is_control) {
      quoted += "\\u00" + hex_of(c);
    } else {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c;
    }
  }
  return quoted += '"';
}

}  // namespace

/// A text that grows by itself leaves copies of what it held behind.
void TomlWriter::add(std::string_view text) {
  if (text_.size() + text.size() > text_.capacity()) {
    std::string larger;
    larger.reserve(2 * (text_.size() + text.size()) + 4096);
    larger = text_;
    text_.swap(larger);
    wipe_text(larger);
  }
  text_ += text;
}

void TomlWriter::line(std::string_view key, std::string_view value, std::string_view remark) {
  constexpr size_t kRemarkColumn = 50;
  add(key);
  add(" = ");
  add(value);
  if (!remark.empty()) {
    const size_t width = key.size() + 3 + value.size();
    add(std::string(width < kRemarkColumn ? kRemarkColumn - width : 2, ' ') + "# " + commentable(remark));
  }
  add("\n");
}

void TomlWriter::comment(std::string_view text) { add(text.empty() ? "#\n" : "# " + commentable(text) + "\n"); }

void TomlWriter::section(std::string_view header) {
  add(header);
  add("\n");
}

void TomlWriter::text(std::string_view key, std::string_view value, std::string_view remark) {
  line(key, in_toml_quotes(value), remark);
}

void TomlWriter::texts(std::string_view key, const std::vector<std::string>& values, std::string_view remark) {
  std::string list;
  for (const std::string& value : values) list += (list.empty() ? "" : ", ") + in_toml_quotes(value);
  line(key, "[" + list + "]", remark);
}

void TomlWriter::number(std::string_view key, uint64_t value, std::string_view remark) {
  line(key, std::to_string(value), remark);
}

void TomlWriter::secret(std::string_view key, const crypto::KeyBytes& value) {
  std::string base64 = crypto::key_to_base64(value);
  add(key);
  add(" = \"");
  add(base64);
  add("\"\n");
  wipe_text(base64);
}

}  // namespace adit::config
