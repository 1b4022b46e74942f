// Writes TOML that people read: sections, keys with remarks behind them, comments.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/secret.h"
#include "crypto/keys.h"

namespace adit::config {

/// What is written here, config::parse() reads, whatever bytes a comment is made of.  Values must be UTF-8.  The text
/// wipes itself, as keys may stand in it.
class TomlWriter {
 public:
  TomlWriter() = default;
  TomlWriter(const TomlWriter&) = delete;
  TomlWriter& operator=(const TomlWriter&) = delete;
  ~TomlWriter() { wipe_text(text_); }

  void blank() { add("\n"); }
  /// One line; bytes that may not stand in a comment as \xNN.
  void comment(std::string_view text);
  /// "[interface]" or "[[peer]]".
  void section(std::string_view header);

  /// `remark`: a comment behind the value, if any.
  void text(std::string_view key, std::string_view value, std::string_view remark = {});
  void texts(std::string_view key, const std::vector<std::string>& values, std::string_view remark = {});
  void number(std::string_view key, uint64_t value, std::string_view remark = {});
  void secret(std::string_view key, const crypto::KeyBytes& value);

  [[nodiscard]] const std::string& str() const noexcept { return text_; }

 private:
  void add(std::string_view text);
  void line(std::string_view key, std::string_view value, std::string_view remark);

  std::string text_;
};

}  // namespace adit::config
