// Addresses, routes and MTU of a network interface, set through the kernel's own interface (rtnetlink on Linux, ioctls
// and the routing socket on FreeBSD).
// One implementation file per system.
#pragma once

#include <string>

#include "net/addr.h"

namespace adit {

/// All throw std::system_error that names the interface and what was tried, also where the system has no such thing.
/// What is already so is no error.
void set_mtu(const std::string& interface, unsigned mtu);
/// Super-packets that the kernel hands to the interface are at most this large, in bytes.
void set_largest_super_packet(const std::string& interface, unsigned size);
/// So many packets or super-packets wait for the interface's program; the kernel drops what more there is.
void set_queue_length(const std::string& interface, unsigned packets);
void set_up(const std::string& interface);
/// Keeps the kernel from giving the interface addresses of its own (IPv6 link-local) and asking for routers there.
void set_no_automatic_addresses(const std::string& interface);
/// `address` with the length of its network, e.g. 10.1.2.5 and 24.
void add_address(const std::string& interface, const Ip& address, uint8_t prefix_length);
/// With it the kernel may take other addresses of its network and routes that need it.
void remove_address(const std::string& interface, const Ip& address, uint8_t prefix_length);
/// `table`: a routing table's number (on FreeBSD, a FIB's), 0 for the main one (that of this process).
void add_route(const std::string& interface, const Prefix& destination, uint32_t table);
void remove_route(const std::string& interface, const Prefix& destination, uint32_t table);

}  // namespace adit
