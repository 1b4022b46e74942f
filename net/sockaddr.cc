#include "net/sockaddr.h"

#include <cstring>

namespace adit {

// The structures are copied in and out of sockaddr_storage: looking at them through a cast pointer would break the
// language's aliasing rules.

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) noexcept {
  if (endpoint.ip.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    v4.sin_addr = to_in_addr(endpoint.ip);
    std::memcpy(&out, &v4, sizeof v4);
    return sizeof v4;
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint.port);
  v6.sin6_addr = to_in6_addr(endpoint.ip);
  v6.sin6_scope_id = endpoint.scope;
  std::memcpy(&out, &v6, sizeof v6);
  return sizeof v6;
}

Endpoint from_sockaddr(const sockaddr_storage& address) noexcept {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &address, sizeof v4);
    return {from_in_addr(v4.sin_addr), ntohs(v4.sin_port)};
  }
  sockaddr_in6 v6;
  std::memcpy(&v6, &address, sizeof v6);
  return {from_in6_addr(v6.sin6_addr), ntohs(v6.sin6_port), v6.sin6_scope_id};
}

in_addr to_in_addr(const Ip& ip) noexcept {
  in_addr address;
  std::memcpy(&address, ip.bytes().data(), sizeof address);
  return address;
}

in6_addr to_in6_addr(const Ip& ip) noexcept {
  in6_addr address;
  std::memcpy(&address, ip.raw().data(), sizeof address);
  return address;
}

Ip from_in_addr(const in_addr& address) noexcept { return Ip::v4(ntohl(address.s_addr)); }

Ip from_in6_addr(const in6_addr& address) noexcept { return Ip::v6(address.s6_addr); }

}  // namespace adit
