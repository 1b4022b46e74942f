// adit reload: running gateways read their configuration files anew.

#include <cerrno>
#include <chrono>
#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/control.h"

namespace adit::daemon {
namespace {

/// A configuration of ten thousand peers is read in less than a second.
constexpr std::chrono::seconds kPatience(60);

int reload_one(const std::string& name) {
  const ControlAnswer answer = ask_gateway(control_path(name), "reload=1\n\n", kPatience);
  if (answer.error == 0) {
    std::cout << name << " reloaded\n";
    return kExitDone;
  }
  const bool is_config = answer.error == -EINVAL;
  std::cerr << (is_config ? "" : "adit: ") << answer.text;
  std::cerr << "adit: " << name << " runs on as before\n";
  return is_config ? kExitConfig : kExitFailed;
}

}  // namespace

int reload(const std::optional<std::string>& interface) {
  const std::vector<std::string> names = interface ? std::vector<std::string>{*interface} : controlled_interfaces();
  if (names.empty()) {
    std::cerr << "adit: reload: no gateway is running (none has a socket in " << control_directory().string()
              << advice_for_user() << ")\n";
    return kExitFailed;
  }
  int status = kExitDone;
  for (const std::string& name : names) {
    const int each = reload_one(name);
    if (status == kExitDone) status = each;
  }
  return status;
}

}  // namespace adit::daemon
