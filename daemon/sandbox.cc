#include "daemon/sandbox.h"

#include <cstdlib>
#include <stdexcept>
#include <string>

namespace adit::daemon {

Sandbox wanted_sandbox() {
  const char* chosen = std::getenv("ADIT_SANDBOX");
  const std::string text = chosen == nullptr ? "on" : chosen;
  if (text == "on") return Sandbox::kOn;
  if (text == "off") return Sandbox::kOff;
  if (text == "strict") return Sandbox::kStrict;
  throw std::invalid_argument("ADIT_SANDBOX: on, off or strict, not '" + text + "'");
}

}  // namespace adit::daemon
