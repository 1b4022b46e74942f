// Opening UDP sockets.  udp_read_freebsd.cc and udp_write_freebsd.cc move datagrams.

#include <netinet/in.h>
#include <sys/filio.h>
#include <sys/socket.h>

#include <array>

#include "net/rights_freebsd.h"
#include "net/route_message_freebsd.h"
#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// Enough for some milliseconds of full speed while the loop is elsewhere.
constexpr int kSocketBuffer = 4 << 20;
/// The least that every system allows, and two large datagrams.
constexpr int kSmallestBuffer = 128 << 10;

void set_option(int fd, int level, int option, int value, const std::string& what) {
  check_call(what, ::setsockopt(fd, level, option, &value, sizeof value));
}

/// As far as kern.ipc.maxsockbuf allows, whoever asks.
void enlarge(int fd, int option, const std::string& what) {
  for (int size = kSocketBuffer; size > kSmallestBuffer; size /= 2) {
    if (::setsockopt(fd, SOL_SOCKET, option, &size, sizeof size) == 0) return;
  }
  set_option(fd, SOL_SOCKET, option, kSmallestBuffer, what);
}

void set_options(int fd, bool v4, const std::string& what) {
  enlarge(fd, SO_RCVBUF, what);
  enlarge(fd, SO_SNDBUF, what);
  if (v4) {
    set_option(fd, IPPROTO_IP, IP_RECVDSTADDR, 1, what);
    set_option(fd, IPPROTO_IP, IP_RECVIF, 1, what);
    set_option(fd, IPPROTO_IP, IP_RECVTOS, 1, what);
    return;
  }
  set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, what);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, what);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, what);
}

std::string bind_advice(int error, const Endpoint& local) {
  if (error == EACCES && local.port < 1024) return "ports below 1024 need root";
  if (error == EADDRINUSE) return "another program has this port";
  if (error == EADDRNOTAVAIL) return "the address is not on this machine";
  return "";
}

std::string bind_what(const Endpoint& local) { return "bind udp " + local.to_string(); }

Fd open_socket(const Endpoint& local, const std::string& what) {
  const int family = local.ip.is_v4() ? AF_INET : AF_INET6;
  Fd fd(check_call(what, ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
  set_options(fd.get(), local.ip.is_v4(), what);
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

/// To what a socket does from then on.
void limit(const Fd& fd) {
  static constexpr std::array<unsigned long, 1> kIoctls = {FIONBIO};
  cap_rights_t rights;
  ::cap_rights_init(&rights, CAP_RECV, CAP_SEND, CAP_CONNECT, CAP_EVENT, CAP_GETSOCKOPT, CAP_SETSOCKOPT, CAP_IOCTL);
  limit_rights(fd.get(), rights, kIoctls);
}

/// One that is bound with the option shares the port with others that are; the kernel counts only those.
Fd open_member(const Endpoint& local, const std::string& what) {
  Fd fd = open_socket(local, what);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEPORT_LB, 1, what);
  bind_to(fd, local, what);
  limit(fd);
  return fd;
}

bool is_member(int fd, const std::string& what) {
  int shares = 0;
  socklen_t size = sizeof shares;
  check_call(what, ::getsockopt(fd, SOL_SOCKET, SO_REUSEPORT_LB, &shares, &size));
  return shares != 0;
}

}  // namespace

UdpSocket UdpSocket::bind(const Endpoint& local, const Offloads&) {
  const std::string what = bind_what(local);
  Fd fd = open_socket(local, what);
  const Endpoint bound = bind_to(fd, local, what);
  limit(fd);
  return {std::move(fd), bound, false};
}

/// The first is bound alone, so that a port that another program has is found out, even another adit's that shares it
/// among its own.  A socket joins those that share while it is bound, not later; and so one that does takes the place
/// of the first, which holds the port until then: nobody can come between.
UdpSocket UdpSocket::bind_beside(const Offloads&) {
  const std::string what = bind_what(local_);
  if (!is_member(fd(), what)) {
    set_option(fd(), SOL_SOCKET, SO_REUSEPORT_LB, 1, what);
    fd_ = open_member(local_, what);
  }
  return {open_member(local_, what), local_, false};
}

void UdpSocket::set_mark(uint32_t mark) {
  if (use_fib(fd(), mark) == 0) return;
  const int error = errno;
  throw AdvisedError(error, "mark udp " + local_.to_string(),
                     error == EINVAL ? "a mark is the number of a routing table here, below sysctl net.fibs" : "");
}

}  // namespace adit
