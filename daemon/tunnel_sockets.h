// The tunnel's own UDP sockets: one port, both IP versions.
#pragma once

#include <vector>

#include "net/udp.h"

namespace adit::daemon {

/// IPv4 first, then IPv6 on the same port; port 0 lets the kernel choose one that is free for both.  A machine that has
/// only one of the two gets only that.  Throws std::system_error when the port is in use, or neither can be had.
std::vector<UdpSocket> bind_tunnel_sockets(uint16_t port, const Offloads& offloads = {});

/// The same for each of so many workers, which get a share of what comes each; for one it is no shared port.  One that
/// another program has is refused all the same.
std::vector<std::vector<UdpSocket>> bind_tunnel_sockets_for(size_t workers, uint16_t port,
                                                            const Offloads& offloads = {});

}  // namespace adit::daemon
