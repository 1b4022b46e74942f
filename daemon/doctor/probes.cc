#include "daemon/doctor/probes.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <memory>

#include "daemon/tcp_socket.h"
#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit::doctor {
namespace {

constexpr int kAnswered = ECANCELED;

/// A socket that is connected, or connects; without one, errno says why.
Fd connected(const Endpoint& to, int type, const Way& way) {
  Fd fd(::socket(to.ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  [[maybe_unused]] const int is_held = way.interface.empty() ? 0 : daemon::stay_on(fd.get(), way.interface);
  if (fd && way.from) {
    const socklen_t size = to_sockaddr({*way.from, 0}, address);
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) return {};
  }
  const socklen_t size = to_sockaddr(to, address);
  if (fd && ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 && errno != EINPROGRESS)
    return {};
  return fd;
}

bool waits_for(int fd, short events, std::chrono::milliseconds patience) {
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace

int ask_udp(const Endpoint& to, size_t size, const Way& way, std::chrono::milliseconds patience) {
  const Fd fd = connected(to, SOCK_DGRAM, way);
  const std::vector<uint8_t> nothing(size);
  if (!fd || ::send(fd.get(), nothing.data(), nothing.size(), 0) < 0) return errno;
  if (!waits_for(fd.get(), POLLIN, patience)) return 0;
  const int error = daemon::tcp_error(fd.get());
  return error == 0 ? kAnswered : error;
}

int ask_tcp(const Endpoint& to, const Way& way, std::chrono::milliseconds patience) {
  const Fd fd = connected(to, SOCK_STREAM, way);
  if (!fd) return errno;
  if (!waits_for(fd.get(), POLLOUT, patience)) return ETIMEDOUT;
  return daemon::tcp_error(fd.get());
}

ServiceProbe::Outcome ask_service(const Endpoint& to, bool tcp, const Way& way, std::chrono::milliseconds patience) {
  using Outcome = ServiceProbe::Outcome;
  const int error = tcp ? ask_tcp(to, way, patience) : ask_udp(to, 0, way, patience);
  if (error == ECONNREFUSED) return Outcome::kRefused;
  if (tcp && error == ETIMEDOUT) return Outcome::kSilent;
  if (!tcp && error == 0) return Outcome::kSilent;
  return error == 0 || error == kAnswered ? Outcome::kAnswers : Outcome::kUnreachable;
}

std::vector<Ip> look_up(const std::string& name, std::string& error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* results = nullptr;
  const int code = getaddrinfo(name.c_str(), nullptr, &hints, &results);
  if (code != 0) {
    error = gai_strerror(code);
    return {};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owned(results, &freeaddrinfo);
  std::vector<Ip> addresses;
  for (const addrinfo* each = results; each != nullptr; each = each->ai_next) {
    sockaddr_storage address{};
    std::memcpy(&address, each->ai_addr, each->ai_addrlen);
    addresses.push_back(from_sockaddr(address).ip);
  }
  return addresses;
}

int try_bind(const Endpoint& local, bool tcp) {
  try {
    if (tcp)
      (void)daemon::listen_tcp(local);
    else
      (void)UdpSocket::bind(local);
    return 0;
  } catch (const std::system_error& error) {
    return error.code().value();
  }
}

}  // namespace adit::doctor
