#include <cap-ng.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "daemon/name_services_linux.h"
#include "daemon/sandbox.h"
#include "daemon/system_calls_linux.h"
#include "net/fd.h"

namespace adit::daemon {
namespace {

/// Addresses, routes, marks and the interface's settings; forwards on ports below 1024.
constexpr std::array<unsigned, 2> kNeeded = {CAP_NET_ADMIN, CAP_NET_BIND_SERVICE};

constexpr const char* kWhat = "give up capabilities";

void check_capng(int result) {
  if (result < 0) throw std::system_error(EPERM, std::generic_category(), kWhat);
}

bool is_needed(unsigned capability) noexcept { return std::ranges::find(kNeeded, capability) != kNeeded.end(); }

/// What of `type` this process has and does not need is taken from the state that is to be applied.
void drop_rest(capng_type_t type) {
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (!is_needed(capability)) capng_update(CAPNG_DROP, type, capability);
  }
}

void lower_effective() {
  check_capng(capng_get_caps_process());
  drop_rest(CAPNG_EFFECTIVE);
  check_capng(capng_apply(CAPNG_SELECT_CAPS));
}

bool raise_effective() noexcept {
  if (capng_get_caps_process() < 0) return false;
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability) {
    if (capng_have_capability(CAPNG_PERMITTED, capability) != 0) capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, capability);
  }
  return capng_apply(CAPNG_SELECT_CAPS) == 0;
}

/// What no program that this process might start could get back.  It needs a capability, which an ordinary user has
/// not; there it does not matter, as no program can be started.
void bound_capabilities() {
  check_capng(capng_get_caps_process());
  if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 0) return;
  drop_rest(CAPNG_BOUNDING_SET);
  check_capng(capng_apply(CAPNG_SELECT_BOUNDS));
}

void keep_needed() {
  check_capng(capng_get_caps_process());
  capng_clear(CAPNG_SELECT_AMBIENT);
  drop_rest(CAPNG_PERMITTED);
  for (const unsigned capability : kNeeded) {
    if (capng_have_capability(CAPNG_PERMITTED, capability) != 0) capng_update(CAPNG_ADD, CAPNG_EFFECTIVE, capability);
  }
  drop_rest(CAPNG_EFFECTIVE);
  for (unsigned capability = 0; capability <= CAP_LAST_CAP; ++capability)
    capng_update(CAPNG_DROP, CAPNG_INHERITABLE, capability);
  check_capng(capng_apply(CAPNG_SELECT_AMBIENT));
  check_capng(capng_apply(CAPNG_SELECT_CAPS));
}

void become_with_capabilities(const User& user) {
  check_call(kWhat, ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
  become(user);
  check_call(kWhat, ::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0));
}

}  // namespace

void prepare_for(Sandbox sandbox) {
  if (sandbox == Sandbox::kOff) return;
  // What is done by io_uring passes by the filter, so the filter has none, and some versions of libuv end the process
  // when it goes away.
  ::setenv("UV_USE_IO_URING", "0", 1);
  load_name_services();
}

LaterPrivileges::LaterPrivileges(Sandbox sandbox, const std::optional<User>& user)
    : acting_(user), lowered_(!user && sandbox != Sandbox::kOff) {
  if (lowered_) lower_effective();
}

LaterPrivileges::~LaterPrivileges() {
  if (lowered_ && !raise_effective()) std::abort();
}

void enter(Sandbox sandbox, const std::optional<User>& user) {
  if (sandbox != Sandbox::kOff || user) bound_capabilities();
  if (user) become_with_capabilities(*user);
  if (sandbox != Sandbox::kOff || user) keep_needed();
  if (sandbox != Sandbox::kOff) filter_system_calls(sandbox == Sandbox::kStrict);
}

/// Whoever may not has no interface to change: making one takes the same capability.
bool may_change_interfaces() noexcept { return true; }

}  // namespace adit::daemon
