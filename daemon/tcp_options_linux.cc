#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

#include "daemon/tcp_socket.h"

namespace adit::daemon {

void choose_port_late(int fd) noexcept {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);  // for IPv6, too
}

int stay_on(int fd, const std::string& interface) noexcept {
  return ::setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), static_cast<socklen_t>(interface.size()));
}

}  // namespace adit::daemon
