#include "daemon/tcp_socket.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "net/sockaddr.h"

namespace adit::daemon {
namespace {

/// Connections that wait to be accepted; the kernel cuts it to its own limit.
constexpr int kBacklog = 4096;
// A peer that went away without a word is noticed after about eight minutes of silence.
constexpr int kSilenceBeforeProbe = 300;  // seconds
constexpr int kBetweenProbes = 30;
constexpr int kProbes = 6;

void set_option(int fd, int level, int option, int value) noexcept {
  ::setsockopt(fd, level, option, &value, sizeof value);
}

int family_of(const Ip& ip) noexcept { return ip.is_v4() ? AF_INET : AF_INET6; }

/// The application's writes are the units that matter, and it is it who batches them.
void set_relay_options(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, kSilenceBeforeProbe);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, kBetweenProbes);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, kProbes);
}

std::string bind_advice(int error, const Endpoint& local) {
  if (error == EACCES && local.port < 1024) return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
  if (error == EADDRINUSE) return "another program has this port";
  if (error == EADDRNOTAVAIL) return "the address is not on this machine";
  return "";
}

void check_bind(const Endpoint& local, int result) {
  if (result == 0) return;
  const int error = errno;
  throw AdvisedError(error, "bind tcp " + local.to_string(), bind_advice(error, local));
}

}  // namespace

Fd listen_tcp(const Endpoint& local) {
  Fd fd(check_call("bind tcp " + local.to_string(),
                   ::socket(family_of(local.ip), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // connections that are ending do not hold the port
  if (local.ip.is_v6()) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr(local, address);
  check_bind(local, ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
  check_bind(local, ::listen(fd.get(), kBacklog));
  return fd;
}

Accepted accept_tcp(int listener) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Fd fd(::accept4(listener, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd) return {};
  set_relay_options(fd.get());
  return {std::move(fd), from_sockaddr(address)};
}

Fd connect_tcp(const Ip& from, const Endpoint& to, const std::string& interface) noexcept {
  Fd fd(::socket(family_of(to.ip), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return {};
  set_relay_options(fd.get());
  choose_port_late(fd.get());
  sockaddr_storage address{};
  socklen_t size = to_sockaddr({.ip = from, .port = 0}, address);
  int result = interface.empty() ? 0 : stay_on(fd.get(), interface);
  if (result == 0) result = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size);
  if (result == 0) {
    size = to_sockaddr(to, address);
    result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size);
    if (result != 0 && errno == EADDRNOTAVAIL) errno = EADDRINUSE;  // the address was there a moment ago
  }
  if (result == 0 || errno == EINPROGRESS) return fd;
  const int error = errno;
  { const Fd closed = std::move(fd); }
  errno = error;  // of the call that failed, whatever close() said
  return {};
}

int tcp_error(int fd) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

Endpoint local_of(int fd) noexcept {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  return from_sockaddr(address);
}

void reset_tcp(const Fd& socket) noexcept {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

size_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  return static_cast<size_t>(::setrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : before);
}

}  // namespace adit::daemon
