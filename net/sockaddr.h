// Addresses and endpoints as the socket calls take and give them.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "net/addr.h"

namespace adit {

/// Writes a sockaddr_in or sockaddr_in6 by the endpoint's IP version; the size of what was written.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept;
/// `address` as the kernel filled it in; it must be AF_INET or AF_INET6.
Endpoint from_sockaddr(const sockaddr_storage& address) noexcept;

/// `ip` must be IPv4.
in_addr to_in_addr(const Ip& ip) noexcept;
/// `ip` must be IPv6.
in6_addr to_in6_addr(const Ip& ip) noexcept;
Ip from_in_addr(const in_addr& address) noexcept;
Ip from_in6_addr(const in6_addr& address) noexcept;

}  // namespace adit
