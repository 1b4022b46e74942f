// The C library looks names up by modules that it loads when it first needs one.  Once the gateway may load no code any
// more, they must be there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace adit::daemon {

/// The services for hosts' names that a text like that of nsswitch.conf(5) has: {"files", "dns"}.
std::vector<std::string> host_services(std::string_view nsswitch);

/// Loads those of this machine.  What is not installed, or is part of the C library, is passed over.
void load_name_services();

}  // namespace adit::daemon
