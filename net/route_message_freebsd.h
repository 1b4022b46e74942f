// Messages of the routing socket (route(4)): a header, then addresses.  FreeBSD only.
#pragma once

// In the order that they need each other.
// clang-format off
#include <sys/types.h>
#include <sys/socket.h>
#include <net/route.h>
// clang-format on

#include <array>
#include <optional>
#include <string>

#include "net/addr.h"
#include "net/fd.h"

namespace adit {

/// Throws std::system_error "`what`: reason".
Fd open_route_socket(const std::string& what);

/// From now on the socket's messages or datagrams go by this routing table; 0 is the one that this process has.  0, or
/// -1 with errno, which is EINVAL when there are not so many.
[[nodiscard]] int use_fib(int socket, uint32_t fib) noexcept;

/// A network's mask as an address.
Ip netmask(uint8_t length, bool v4) noexcept;

/// A message built piece by piece.
class RouteMessage {
 public:
  /// `type` and `flags` as in net/route.h; `sequence` is for answers.
  RouteMessage(uint8_t type, int flags, int sequence = 0) noexcept;

  // In this order.
  void put_destination(const Ip& ip, uint32_t scope = 0) noexcept { put_ip(RTA_DST, ip, scope); }
  /// The interface itself, in place of a router.
  void put_gateway_interface(unsigned index) noexcept;
  void put_netmask(uint8_t length, bool v4) noexcept;

  /// 0, or -1 with errno.
  [[nodiscard]] int send(int route_socket) noexcept;
  /// send() of a question, and the interface that the answer names.  Nothing when there is no route, or no answer.
  [[nodiscard]] std::optional<uint32_t> ask(int route_socket) noexcept;

 private:
  void put_ip(int which, const Ip& ip, uint32_t scope) noexcept;
  void put(int which, const void* address, size_t size) noexcept;

  alignas(rt_msghdr) std::array<uint8_t, 512> bytes_{};
  rt_msghdr header_{};
};

}  // namespace adit
