// Any text is either a file of wg-quick's, whose TOML then means the same, or a ConfigError whose problems say
// something.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "tests/config/same_tunnel.h"

namespace {

using namespace adit::config;

void require(bool condition) {
  if (!condition) std::abort();
}

std::optional<WgQuick> read(std::string_view text) {
  try {
    return parse_wg_quick(text, "fuzz.conf", "wg0");
  } catch (const ConfigError& error) {
    require(!error.problems().empty());
    for (const auto& problem : error.problems()) require(!problem.text.empty() && problem.place.line != 0);
    return {};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = read({reinterpret_cast<const char*>(data), size});
  // Without a key a file is named, which is not there.
  if (!file || file->config.interface.private_key.is_zero()) return 0;
  TomlWriter toml;
  write_toml(*file, "fuzz.conf", toml);
  require(is_same_tunnel(file->config, parse(toml.str(), "fuzz.toml", "/nonexistent")));
  return 0;
}
