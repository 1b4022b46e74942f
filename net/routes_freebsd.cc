#include "net/routes.h"

// In the order that they need each other.
// clang-format off
#include <sys/types.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <net/route.h>
// clang-format on

#include <bit>
#include <cstring>

#include "net/fd.h"
#include "net/sockaddr.h"

namespace adit {
namespace {

constexpr size_t aligned(size_t size) noexcept {
  return size == 0 ? sizeof(long) : (size + sizeof(long) - 1) & ~(sizeof(long) - 1);
}

/// All routes as the kernel writes them; between two questions they may grow.
std::vector<char> dump() {
  int name[] = {CTL_NET, PF_ROUTE, 0, AF_UNSPEC, NET_RT_DUMP, 0};
  while (true) {
    size_t size = 0;
    check_call("read routes", ::sysctl(name, std::size(name), nullptr, &size, nullptr, 0));
    std::vector<char> routes(size + size / 4 + 1024);
    size = routes.size();
    if (::sysctl(name, std::size(name), routes.data(), &size, nullptr, 0) != 0) {
      if (errno == ENOMEM) continue;
      throw std::system_error(errno, std::generic_category(), "read routes");
    }
    routes.resize(size);
    return routes;
  }
}

/// The bits that a netmask has; its zeros at the end may not be written out.
uint8_t length_of(std::span<const char> mask, size_t address_at, size_t address_size) {
  unsigned length = 0;
  for (size_t i = address_at; i < mask.size() && i < address_at + address_size; ++i) {
    length += static_cast<unsigned>(std::popcount(static_cast<uint8_t>(mask[i])));
  }
  return static_cast<uint8_t>(length);
}

/// Where a route leads; nothing for a default route and for what is not IP.
std::optional<Prefix> destination_of(std::span<const char> message, int addresses) {
  std::span<const char> destination;
  std::span<const char> mask;
  for (int which = 0; which < RTAX_MAX && !message.empty(); ++which) {
    if ((addresses & (1 << which)) == 0) continue;
    const size_t size = static_cast<uint8_t>(message.front());  // sa_len
    const auto sockaddr = message.first(std::min(size, message.size()));
    if (which == RTAX_DST) destination = sockaddr;
    if (which == RTAX_NETMASK) mask = sockaddr;
    message = message.subspan(std::min(aligned(size), message.size()));
  }
  sockaddr_storage address{};
  std::memcpy(&address, destination.data(), std::min(destination.size(), sizeof address));
  const bool v4 = address.ss_family == AF_INET;
  if (!v4 && address.ss_family != AF_INET6) return {};
  Ip ip = from_sockaddr(address).ip;
  if ((addresses & RTA_NETMASK) == 0) return Prefix::of(ip, static_cast<uint8_t>(ip.bits()));
  const uint8_t length =
      length_of(mask, v4 ? offsetof(sockaddr_in, sin_addr) : offsetof(sockaddr_in6, sin6_addr), ip.bits() / 8);
  if (length == 0) return {};
  return Prefix::of(ip, length);
}

}  // namespace

std::vector<Prefix> routed_networks() {
  const std::vector<char> routes = dump();
  std::vector<Prefix> networks;
  std::span<const char> rest(routes);
  while (rest.size() >= sizeof(rt_msghdr)) {
    rt_msghdr header{};
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.rtm_msglen < sizeof header || header.rtm_msglen > rest.size()) break;
    const auto network = destination_of(rest.first(header.rtm_msglen).subspan(sizeof header), header.rtm_addrs);
    if (network) networks.push_back(*network);
    rest = rest.subspan(header.rtm_msglen);
  }
  return networks;
}

}  // namespace adit
