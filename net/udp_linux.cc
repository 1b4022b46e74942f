// Opening UDP sockets.  udp_read_linux.cc and udp_write_linux.cc move datagrams.

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// Enough for some milliseconds of full speed while the loop is elsewhere.
constexpr int kSocketBuffer = 4 << 20;

void set_option(int fd, int level, int option, int value, const std::string& what) {
  check_call(what, ::setsockopt(fd, level, option, &value, sizeof value));
}

/// The forced kind ignores the administrator's limit and needs CAP_NET_ADMIN; the plain kind gets what the limit
/// allows.
void enlarge(int fd, int forced_option, int plain_option, const std::string& what) {
  if (::setsockopt(fd, SOL_SOCKET, forced_option, &kSocketBuffer, sizeof kSocketBuffer) == 0) return;
  set_option(fd, SOL_SOCKET, plain_option, kSocketBuffer, what);
}

void set_options(int fd, bool v4, const std::string& what) {
  enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF, what);
  enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF, what);
  if (v4) {
    set_option(fd, IPPROTO_IP, IP_PKTINFO, 1, what);
    set_option(fd, IPPROTO_IP, IP_RECVTOS, 1, what);
    // No "don't fragment", as the kernel's own WireGuard: a path smaller than the MTU allows is slow, not a black hole.
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, what);
    return;
  }
  set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, what);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, what);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, what);
}

std::string bind_advice(int error, const Endpoint& local) {
  if (error == EACCES && local.port < 1024) return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
  if (error == EADDRINUSE) return "another program has this port";
  if (error == EADDRNOTAVAIL) return "the address is not on this machine";
  return "";
}

std::string bind_what(const Endpoint& local) { return "bind udp " + local.to_string(); }

Fd open_socket(const Endpoint& local, const Offloads& offloads, const std::string& what) {
  const int family = local.ip.is_v4() ? AF_INET : AF_INET6;
  Fd fd(check_call(what, ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
  set_options(fd.get(), local.ip.is_v4(), what);
  const int on = 1;
  if (offloads.gro) ::setsockopt(fd.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on);  // an older kernel just does not
  return fd;
}

/// Where it is then bound.
Endpoint bind_to(const Fd& fd, const Endpoint& local, const std::string& what) {
  sockaddr_storage address{};
  socklen_t size = to_sockaddr(local, address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    const int error = errno;
    throw AdvisedError(error, what, bind_advice(error, local));
  }
  check_call(what, ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size));
  return from_sockaddr(address);
}

}  // namespace

UdpSocket UdpSocket::bind(const Endpoint& local, const Offloads& offloads) {
  const std::string what = bind_what(local);
  Fd fd = open_socket(local, offloads, what);
  const Endpoint bound = bind_to(fd, local, what);
  return {std::move(fd), bound, offloads.segment};
}

/// The first is bound without SO_REUSEPORT, and gets it afterwards, which Linux allows: so a port that another program
/// has is found out, even another adit's that shares it among its own; and nobody can come between, as after a socket
/// that is bound only to try.
UdpSocket UdpSocket::bind_beside(const Offloads& offloads) {
  const std::string what = bind_what(local_);
  set_option(fd(), SOL_SOCKET, SO_REUSEPORT, 1, what);
  Fd another = open_socket(local_, offloads, what);
  set_option(another.get(), SOL_SOCKET, SO_REUSEPORT, 1, what);
  const Endpoint bound = bind_to(another, local_, what);
  return {std::move(another), bound, offloads.segment};
}

void UdpSocket::set_mark(uint32_t mark) {
  uint32_t current = 0;
  socklen_t size = sizeof current;
  const std::string what = "mark udp " + local_.to_string();
  check_call(what, ::getsockopt(fd(), SOL_SOCKET, SO_MARK, &current, &size));
  if (current == mark) return;  // setting it needs CAP_NET_ADMIN even when nothing changes
  check_call(what, ::setsockopt(fd(), SOL_SOCKET, SO_MARK, &mark, sizeof mark));
}

}  // namespace adit
