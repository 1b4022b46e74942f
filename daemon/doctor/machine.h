// What is asked of the system.  One implementation file per system.
#pragma once

#include <cstdint>
#include <string>

#include "daemon/doctor/facts.h"

namespace adit::doctor {

/// Whether this process may make interfaces, and why the tun device cannot be opened.  No device is made.
void look_at_rights(Machine& machine);

/// Whether something sets the clock; none when that cannot be told.
std::optional<bool> clock_is_synchronized();

/// "dnsmasq (pid 812)", of a port that is bound; "" when it cannot be told, or no process has it.
std::string holder_of(uint16_t port, bool tcp);

/// What leaves by this socket is never cut into fragments, and nobody asks how large it may be.
void forbid_fragments(int fd, bool v4);

/// In the system's own commands.
Advice advice_of_system();

}  // namespace adit::doctor
