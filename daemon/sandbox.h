// What a gateway keeps of its privileges while it runs.  One implementation file per system; SECURITY.md has what is
// left, as a table.
//
// How it works.  What is opened at the start is opened with the privileges that adit was started with.  What will be
// needed again on a reload, or at the end, is read and made with those that it will have then (LaterPrivileges), so
// that a gateway that starts can also reload and clean up.  Then it gives up the rest, and only then begin threads and
// is the first packet read.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "daemon/user.h"

namespace adit::daemon {

enum class Sandbox : uint8_t {
  kOff,     // the gateway keeps what it was started with
  kOn,      // the default
  kStrict,  // for tests: what the default would refuse ends the process, so that a call which is missed is seen
};

/// What ADIT_SANDBOX says: "off", "on" or "strict".  Throws std::invalid_argument for anything else.
Sandbox wanted_sandbox();

/// To be called before the first Loop, and while there is one thread: what would be loaded later is loaded now.
void prepare_for(Sandbox sandbox);

/// As long as it lives the process has what enter() will leave it, and the way back is open.  While there is one
/// thread.
class LaterPrivileges {
 public:
  /// Throws std::system_error.
  LaterPrivileges(Sandbox sandbox, const std::optional<User>& user);
  ~LaterPrivileges();
  LaterPrivileges(const LaterPrivileges&) = delete;
  LaterPrivileges& operator=(const LaterPrivileges&) = delete;

 private:
  ActingAs acting_;
  bool lowered_;
};

/// For good.  The process becomes `user`, if there is one.  While there is one thread.  Throws std::system_error.
void enter(Sandbox sandbox, const std::optional<User>& user);

/// Whether addresses, routes and the MTU of an interface can still be changed; if not, a change needs a restart.
bool may_change_interfaces() noexcept;

}  // namespace adit::daemon
