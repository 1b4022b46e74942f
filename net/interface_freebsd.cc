#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <netinet6/in6_var.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>

#include "net/interface.h"
#include "net/nd6_freebsd.h"
#include "net/route_message_freebsd.h"
#include "net/sockaddr.h"

namespace adit {
namespace {

/// ND6_INFINITE_LIFETIME, whose header is no C++.
constexpr uint32_t kForever = 0xffffffff;

Fd open_socket(int family, const std::string& what) {
  return Fd(check_call(what, ::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
}

ifreq request_for(const std::string& interface) noexcept {
  ifreq request{};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

unsigned interface_index(const std::string& interface, const std::string& what) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) throw std::system_error(errno, std::generic_category(), what);
  return index;
}

// The structures of ioctls and of the routing socket say their own sizes, other than those of socket calls.

sockaddr_in v4_address(const Ip& ip) noexcept {
  sockaddr_in address{};
  address.sin_len = sizeof address;
  address.sin_family = AF_INET;
  address.sin_addr = to_in_addr(ip);
  return address;
}

sockaddr_in6 v6_address(const Ip& ip) noexcept {
  sockaddr_in6 address{};
  address.sin6_len = sizeof address;
  address.sin6_family = AF_INET6;
  address.sin6_addr = to_in6_addr(ip);
  return address;
}

void add_v4(const std::string& interface, const Ip& address, uint8_t prefix_length, const std::string& what) {
  in_aliasreq request{};
  interface.copy(request.ifra_name, sizeof request.ifra_name - 1);
  request.ifra_addr = v4_address(address);
  request.ifra_mask = v4_address(netmask(prefix_length, true));
  check_call(what, ::ioctl(open_socket(AF_INET, what).get(), SIOCAIFADDR, &request));
}

void add_v6(const std::string& interface, const Ip& address, uint8_t prefix_length, const std::string& what) {
  in6_aliasreq request{};
  interface.copy(request.ifra_name, sizeof request.ifra_name - 1);
  request.ifra_addr = v6_address(address);
  request.ifra_prefixmask = v6_address(netmask(prefix_length, false));
  request.ifra_lifetime.ia6t_vltime = kForever;
  request.ifra_lifetime.ia6t_pltime = kForever;
  check_call(what, ::ioctl(open_socket(AF_INET6, what).get(), SIOCAIFADDR_IN6, &request));
}

int remove_v4(const std::string& interface, const Ip& address, const std::string& what) {
  ifreq request = request_for(interface);
  const sockaddr_in old = v4_address(address);
  std::memcpy(&request.ifr_addr, &old, sizeof old);
  return ::ioctl(open_socket(AF_INET, what).get(), SIOCDIFADDR, &request);
}

int remove_v6(const std::string& interface, const Ip& address, const std::string& what) {
  in6_ifreq request{};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  request.ifr_addr = v6_address(address);
  return ::ioctl(open_socket(AF_INET6, what).get(), SIOCDIFADDR_IN6, &request);
}

/// An IPv4 or IPv6 address of the kernel's.
Ip ip_of(const sockaddr* address) noexcept {
  sockaddr_storage copy{};
  std::memcpy(&copy, address, address->sa_len);
  copy.ss_family = address->sa_family;
  return from_sockaddr(copy).ip;
}

/// Of a netmask, which may be shorter than an address: its family is the address's.
Ip mask_of(const ifaddrs& entry) noexcept {
  sockaddr_storage copy{};
  if (entry.ifa_netmask != nullptr) std::memcpy(&copy, entry.ifa_netmask, entry.ifa_netmask->sa_len);
  copy.ss_family = entry.ifa_addr->sa_family;
  return from_sockaddr(copy).ip;
}

/// The kernel would take an address that it has, and what depends on it, away first.
bool has_address(const std::string& interface, const Ip& address, uint8_t prefix_length, const std::string& what) {
  ifaddrs* list = nullptr;
  check_call(what, ::getifaddrs(&list));
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  const int family = address.is_v4() ? AF_INET : AF_INET6;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (interface != entry->ifa_name || entry->ifa_addr == nullptr || entry->ifa_addr->sa_family != family) continue;
    if (ip_of(entry->ifa_addr) == address && mask_of(*entry) == netmask(prefix_length, address.is_v4())) return true;
  }
  return false;
}

Fd route_socket(uint32_t table, const std::string& what) {
  Fd fd = open_route_socket(what);
  if (use_fib(fd.get(), table) == 0) return fd;
  const int error = errno;
  throw AdvisedError(error, what, "the kernel has no routing table " + std::to_string(table) + ": sysctl net.fibs");
}

void put_prefix(RouteMessage& message, const Prefix& destination, unsigned interface) noexcept {
  message.put_destination(destination.ip);
  message.put_gateway_interface(interface);
  message.put_netmask(destination.length, destination.ip.is_v4());
}

/// Where exactly `destination` leads, if anywhere.
std::optional<uint32_t> interface_of(const Fd& socket, const Prefix& destination) {
  RouteMessage question(RTM_GET, RTF_UP, 1);
  question.put_destination(destination.ip);
  question.put_netmask(destination.length, destination.ip.is_v4());
  return question.ask(socket.get());
}

}  // namespace

void set_mtu(const std::string& interface, unsigned mtu) {
  const std::string what = "set MTU " + std::to_string(mtu) + " of " + interface;
  ifreq request = request_for(interface);
  request.ifr_mtu = static_cast<int>(mtu);
  check_call(what, ::ioctl(open_socket(AF_LOCAL, what).get(), SIOCSIFMTU, &request));
}

void set_largest_super_packet(const std::string& interface, unsigned) {
  throw std::system_error(ENOTSUP, std::generic_category(), "set largest super-packet of " + interface);
}

/// It is the same for all interfaces that are made: net.link.ifqmaxlen in loader.conf.
void set_queue_length(const std::string& interface, unsigned) {
  throw std::system_error(ENOTSUP, std::generic_category(), "set queue length of " + interface);
}

void set_up(const std::string& interface) {
  const std::string what = "set " + interface + " up";
  const Fd socket = open_socket(AF_LOCAL, what);
  ifreq request = request_for(interface);
  check_call(what, ::ioctl(socket.get(), SIOCGIFFLAGS, &request));
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  check_call(what, ::ioctl(socket.get(), SIOCSIFFLAGS, &request));
}

void set_no_automatic_addresses(const std::string& interface) {
  const std::string what = "set address generation of " + interface;
  const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;  // without IPv6 there are none to keep away
  check_call(what, adit_nd6_set_quiet(socket.get(), interface.c_str()));
}

void add_address(const std::string& interface, const Ip& address, uint8_t prefix_length) {
  const std::string what = "add address " + Prefix{address, prefix_length}.to_string() + " to " + interface;
  if (has_address(interface, address, prefix_length, what)) return;
  address.is_v4() ? add_v4(interface, address, prefix_length, what) : add_v6(interface, address, prefix_length, what);
}

void remove_address(const std::string& interface, const Ip& address, uint8_t prefix_length) {
  const std::string what = "remove address " + Prefix{address, prefix_length}.to_string() + " from " + interface;
  const int result = address.is_v4() ? remove_v4(interface, address, what) : remove_v6(interface, address, what);
  if (result < 0 && errno != EADDRNOTAVAIL) throw std::system_error(errno, std::generic_category(), what);
}

void add_route(const std::string& interface, const Prefix& destination, uint32_t table) {
  const std::string what = "add route " + destination.to_string() + " to " + interface;
  const unsigned index = interface_index(interface, what);
  const Fd socket = route_socket(table, what);
  const auto before = interface_of(socket, destination);
  if (before == index) return;
  // The kernel would take ours as another way beside it, and send some of the peer's packets there, unencrypted.
  if (before) throw AdvisedError(EEXIST, what, "another interface has this route");
  RouteMessage message(RTM_ADD, RTF_UP | RTF_STATIC);
  put_prefix(message, destination, index);
  check_call(what, message.send(socket.get()));
}

void remove_route(const std::string& interface, const Prefix& destination, uint32_t table) {
  const std::string what = "remove route " + destination.to_string() + " from " + interface;
  const Fd socket = route_socket(table, what);
  RouteMessage message(RTM_DELETE, RTF_UP | RTF_STATIC);
  put_prefix(message, destination, interface_index(interface, what));
  if (message.send(socket.get()) == 0 || errno == ESRCH) return;
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace adit
