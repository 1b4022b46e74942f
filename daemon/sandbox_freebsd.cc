// There is no filter for system calls here, and capability mode (capsicum(4)) is not for a gateway: in it a socket
// cannot send to an address.  Devices and sockets have their own limits (net/rights_freebsd.h).  What is left to do is
// to become another user, and to have programs with a set-user-ID bit give nothing back.

#include <sys/procctl.h>
#include <unistd.h>

#include "daemon/sandbox.h"
#include "net/fd.h"

namespace adit::daemon {

void prepare_for(Sandbox) {}

LaterPrivileges::LaterPrivileges(Sandbox, const std::optional<User>& user)
    : acting_(user), lowered_(user.has_value()) {}

LaterPrivileges::~LaterPrivileges() = default;

void enter(Sandbox sandbox, const std::optional<User>& user) {
  if (user) become(*user);
  if (sandbox == Sandbox::kOff) return;
  int enable = PROC_NO_NEW_PRIVS_ENABLE;
  check_call("give up new privileges", ::procctl(P_PID, ::getpid(), PROC_NO_NEW_PRIVS_CTL, &enable));
}

/// Only root may.
bool may_change_interfaces() noexcept { return ::geteuid() == 0; }

}  // namespace adit::daemon
