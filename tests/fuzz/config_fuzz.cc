// Any text is either a configuration or a ConfigError whose problems all say something.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/config.h"

namespace {

/// Relative key files are looked up in a directory that is not there; a text that may name an absolute one is left out.
bool may_open_files(std::string_view text) {
  if (text.find("_fil") == text.npos) return false;
  for (const std::string_view root : {"\"/", "'/", "\n/", "\\"}) {
    if (text.find(root) != text.npos) return true;
  }
  return false;
}

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (may_open_files(text)) return 0;
  try {
    const auto config = adit::config::parse(text, "fuzz.toml", "/nonexistent");
    require(!config.interface.private_key.is_zero());
    for (const auto& forward : config.forwards)
      require(!forward.listeners.empty() && forward.listeners.front().to.port != 0);
  } catch (const adit::config::ConfigError& error) {
    require(!error.problems().empty());
    for (const auto& problem : error.problems()) require(!problem.text.empty());
  }
  return 0;
}
