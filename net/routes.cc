#include "net/routes.h"

#include "net/fd.h"
#include "net/sockaddr.h"

namespace adit {

std::optional<Ip> source_towards(const Ip& remote) noexcept {
  constexpr uint16_t kDiscard = 9;  // any port does
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr({remote, kDiscard}, address);
  const Fd socket(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return {};
  sockaddr_storage own{};
  socklen_t own_size = sizeof own;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &own_size) != 0) return {};
  return from_sockaddr(own).ip;
}

}  // namespace adit
