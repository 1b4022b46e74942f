#include <string>

#include "daemon/tcp_socket.h"

namespace adit::daemon {

/// A port that bind() has chosen is in use towards all services.
void choose_port_late(int) noexcept {}

/// Sockets have no such option: it is the routes that keep connections on the interface.
int stay_on(int, const std::string&) noexcept { return 0; }

}  // namespace adit::daemon
