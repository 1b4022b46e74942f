// The kernel's interface of the tunnel, as the configuration wants it: MTU, addresses and routes.
#pragma once

#include "config/config.h"

namespace adit::daemon {

/// Makes a new interface what `config` says, and sets it up.  Throws std::system_error.
void set_up_interface(const config::Config& config);

/// Whether the two want different things of the kernel's interface.
bool changes_interface(const config::Config& from, const config::Config& to);

/// The interface is as `from` says and becomes what `to` says; they have the same name.  What both have is never missed
/// for longer than the kernel takes with an address of the same network.  Throws std::system_error, and then what had
/// been done is undone; what cannot be taken away is told in the log and stays.
void change_interface(const config::Config& from, const config::Config& to);

}  // namespace adit::daemon
