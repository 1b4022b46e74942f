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

void require_sound(const adit::config::Forward& forward) {
  require(!forward.listen.empty() && forward.listeners.size() >= forward.listen.size());
  require(!forward.name.empty() && !forward.to.empty());
  for (const auto& [listen, to] : forward.listeners) {
    require(listen.port != 0 && to.port != 0 && !to.ip.is_unspecified());
    if (forward.source == adit::config::SourceAddress::kKeep) require(listen.ip.is_v4() == to.ip.is_v4());
  }
  require(forward.max_flows_per_source >= 1 && forward.max_flows_per_source <= forward.max_flows);
  require(forward.unanswered_timeout <= forward.idle_timeout);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (may_open_files(text)) return 0;
  try {
    const auto config = adit::config::parse(text, "fuzz.toml", "/nonexistent");
    require(!config.interface.private_key.is_zero());
    size_t listeners = 0;
    for (const auto& forward : config.forwards) {
      require_sound(forward);
      listeners += forward.listeners.size();
    }
    require(listeners <= 4096);
  } catch (const adit::config::ConfigError& error) {
    require(!error.problems().empty());
    for (const auto& problem : error.problems()) require(!problem.text.empty());
  }
  return 0;
}
