// A state file of any content: refused, or it says again what it said.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "daemon/saved_state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto state = adit::daemon::parse_state({reinterpret_cast<const char*>(data), size});
  if (!state) return 0;
  const auto again = adit::daemon::parse_state(adit::daemon::to_text(*state));
  if (again != state) std::abort();
  return 0;
}
