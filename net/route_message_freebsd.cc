#include "net/route_message_freebsd.h"

#include <net/if.h>
#include <net/if_dl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/sysctl.h>

#include "net/sockaddr.h"

namespace adit {
namespace {

/// The kernel hands its answers over to a thread of its own; one that has not come after so long is lost.
constexpr int kPatience = 100;  // milliseconds

/// Addresses in a message are as far apart as a multiple of this.
constexpr size_t aligned(size_t size) noexcept { return (size + sizeof(long) - 1) & ~(sizeof(long) - 1); }

int own_fib() noexcept {
  int fib = 0;
  size_t size = sizeof fib;
  return ::sysctlbyname("net.my_fibnum", &fib, &size, nullptr, 0) == 0 ? fib : 0;
}

/// What others have changed meanwhile, and could leave no room for an answer.
void drain(int route_socket) noexcept {
  std::array<char, 2048> buffer;
  while (::recv(route_socket, buffer.data(), buffer.size(), MSG_DONTWAIT) > 0 || errno == ENOBUFS) {
  }
}

}  // namespace

Fd open_route_socket(const std::string& what) {
  return Fd(check_call(what, ::socket(PF_ROUTE, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
}

int use_fib(int socket, uint32_t fib) noexcept {
  const int value = fib == 0 ? own_fib() : static_cast<int>(fib);
  return ::setsockopt(socket, SOL_SOCKET, SO_SETFIB, &value, sizeof value);
}

Ip netmask(uint8_t length, bool v4) noexcept {
  std::array<uint8_t, 16> mask{};
  for (uint8_t bit = 0; bit < length; ++bit) mask[bit / 8] = static_cast<uint8_t>(mask[bit / 8] | 0x80 >> bit % 8);
  return v4 ? Ip::v4(std::span<const uint8_t, 4>(mask.data(), 4)) : Ip::v6(mask);
}

RouteMessage::RouteMessage(uint8_t type, int flags, int sequence) noexcept {
  header_.rtm_version = RTM_VERSION;
  header_.rtm_type = type;
  header_.rtm_flags = flags;
  header_.rtm_seq = sequence;
  header_.rtm_msglen = sizeof header_;
}

void RouteMessage::put(int which, const void* address, size_t size) noexcept {
  std::memcpy(bytes_.data() + header_.rtm_msglen, address, size);
  header_.rtm_addrs |= which;
  header_.rtm_msglen = static_cast<u_short>(header_.rtm_msglen + aligned(size));
}

void RouteMessage::put_ip(int which, const Ip& ip, uint32_t scope) noexcept {
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr({.ip = ip, .port = 0, .scope = scope}, address);
  address.ss_len = static_cast<uint8_t>(size);
  put(which, &address, size);
}

void RouteMessage::put_gateway_interface(unsigned index) noexcept {
  sockaddr_dl link{};
  link.sdl_len = sizeof link;
  link.sdl_family = AF_LINK;
  link.sdl_index = static_cast<u_short>(index);
  put(RTA_GATEWAY, &link, sizeof link);
}

void RouteMessage::put_netmask(uint8_t length, bool v4) noexcept { put_ip(RTA_NETMASK, netmask(length, v4), 0); }

int RouteMessage::send(int route_socket) noexcept {
  std::memcpy(bytes_.data(), &header_, sizeof header_);
  return ::write(route_socket, bytes_.data(), header_.rtm_msglen) < 0 ? -1 : 0;
}

std::optional<uint32_t> RouteMessage::ask(int route_socket) noexcept {
  drain(route_socket);
  if (send(route_socket) < 0) return {};
  const int own = ::getpid();
  while (true) {
    pollfd waiting{route_socket, POLLIN, 0};
    if (::poll(&waiting, 1, kPatience) <= 0) break;
    alignas(rt_msghdr) std::array<char, 2048> buffer;
    rt_msghdr answer;
    if (::read(route_socket, buffer.data(), buffer.size()) < static_cast<ssize_t>(sizeof answer)) continue;
    std::memcpy(&answer, buffer.data(), sizeof answer);
    if (answer.rtm_type == RTM_GET && answer.rtm_seq == header_.rtm_seq && answer.rtm_pid == own) {
      return answer.rtm_index;
    }
  }
  return {};
}

}  // namespace adit
