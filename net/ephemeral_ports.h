// The ports that the kernel gives to sockets that did not ask for one.  Whoever hands out ports of an address that the
// kernel uses too must know them.  One implementation file per system.
#pragma once

#include <cstdint>

namespace adit {

struct EphemeralPorts {
  uint16_t first;
  uint16_t last;  // inclusive, not below `first`
};

/// The kernel's range as it is set now; its usual default if that cannot be read.
EphemeralPorts ephemeral_ports();

}  // namespace adit
