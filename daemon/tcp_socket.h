// TCP sockets as the relay needs them: none of these calls waits.
#pragma once

#include <string>

#include "net/addr.h"
#include "net/fd.h"

namespace adit::daemon {

/// Listens on an address (or the unspecified one; IPv6 never takes IPv4).  Throws AdvisedError "bind tcp ADDRESS:
/// reason (advice)".
Fd listen_tcp(const Endpoint& local);

/// The next connection that waits, with its client; without one no descriptor, and errno says why.
struct Accepted {
  Fd socket;
  Endpoint client;
};
Accepted accept_tcp(int listener) noexcept;

/// Begins to connect from `from` (a port of the kernel's choice) to `to`, by `interface` if it is not "": the socket is
/// writable when that is decided, and tcp_error() says how.  Without a descriptor, errno says why: EADDRNOTAVAIL when
/// `from` is not on this machine, EADDRINUSE when it has no port left towards `to`.
Fd connect_tcp(const Ip& from, const Endpoint& to, const std::string& interface) noexcept;

/// The error that the socket has met, which is taken from it; 0 for none.
int tcp_error(int fd) noexcept;
/// The address that the client used.
Endpoint local_of(int fd) noexcept;

/// From now on closing it is a reset in place of an orderly end; what was not sent yet is not sent.
void reset_tcp(const Fd& socket) noexcept;

/// Raises the limit on this process's descriptors as far as it may go; what it is then.
size_t raise_descriptor_limit() noexcept;

/// Lets connect() choose the port of a socket that is bound to an address alone.  Where that can wait for connect(), a
/// port is in use only towards one service, and each service has all of them.  One implementation file per system.
void choose_port_late(int fd) noexcept;

/// Nothing leaves by another interface, whatever the routes become: where the system can do that (Linux).  0, or -1
/// with errno.  One implementation file per system.
[[nodiscard]] int stay_on(int fd, const std::string& interface) noexcept;

}  // namespace adit::daemon
