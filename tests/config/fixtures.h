// Keys and throw-away directories for the tests of config/.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config/config.h"

namespace adit::config {

inline constexpr const char* kPrivateKey = "EPQ3i7Tv308oEvaGTbgPrOdYA4W5qikCxvo96t6+Rk8=";
inline constexpr const char* kOwnPublicKey = "jUsa7a2uo0RjQV0ED/CyMQrUjvCzJGo3srXL+BwZcxw=";
inline constexpr const char* kHomeKey = "r8ZfwTHhsW6ioRJ/l5o6z2pd8UqZxYYBwCg9xLc/Tn4=";
inline constexpr const char* kOtherKey = "S81WgBNXHjA76n0jJKlKa//YJR3KE/ozEby2o4oDQUs=";
inline constexpr const char* kPresharedKey = "uhXmC3fDswCiU9B0RaFom5qj0cutDbKRau4Vy41vXpI=";

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "adit-config-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& content, mode_t mode) const {
    const std::filesystem::path file = path_ / name;
    std::ofstream(file) << content;
    EXPECT_EQ(chmod(file.c_str(), mode), 0);
    return file;
  }

 private:
  std::filesystem::path path_;
};

/// What a call that must throw ConfigError says; "" when it throws nothing.
template <typename Call>
std::string complaint_of(Call call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

inline Config parse_text(const std::string& text) { return parse(text, "adit.toml", "/nonexistent"); }

}  // namespace adit::config
