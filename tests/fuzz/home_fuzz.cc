// Any text is either a configuration whose plan is sound, with nothing of it outside of quotes, or a ConfigError whose
// problems all say something.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "home/home.h"
#include "tests/home/plan_checks.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto config = adit::home::parse_home(text, "fuzz.toml");
    const auto fault = adit::home::fault_of(config, adit::home::plan(config));
    if (!fault.empty()) std::fprintf(stderr, "%s\n", fault.c_str());
    require(fault.empty());
  } catch (const adit::config::ConfigError& error) {
    require(!error.problems().empty());
    for (const auto& problem : error.problems()) require(!problem.text.empty());
  }
  return 0;
}
