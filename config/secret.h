// Files and texts that hold keys.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace adit::config {

/// Overwrites a text in a way the compiler may not leave out.
void wipe_text(std::string& text) noexcept;

/// A file's text; wipes itself.
struct SecretFile {
  SecretFile() = default;
  SecretFile(SecretFile&&) = default;
  SecretFile& operator=(SecretFile&&) = default;
  ~SecretFile() { wipe_text(buffer); }
  [[nodiscard]] std::string_view text() const noexcept { return std::string_view(buffer).substr(0, size); }

  std::string buffer;
  size_t size = 0;
  bool is_open_to_others = false;  // group or others may read or write it
};

/// Reads a file (or a pipe, as from `-c /dev/stdin`): at most `limit` bytes and one more, by which one that is too
/// large is known.  Throws std::system_error "read FILE: reason".
SecretFile read_secret_file(const std::filesystem::path& file, size_t limit);

/// A whole configuration.  Throws UnreadableError (config/unreadable.h); ConfigError when it is larger than 1 MiB.
SecretFile read_config_file(const std::filesystem::path& file);

}  // namespace adit::config
