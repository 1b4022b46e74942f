#include "daemon/system_calls_linux.h"

namespace adit::daemon {

std::span<const char* const> runtime_calls() noexcept { return {}; }

}  // namespace adit::daemon
