#include <sys/sysctl.h>
#include <sys/types.h>

#include "net/ephemeral_ports.h"

namespace adit {
namespace {

/// 0 when it cannot be read.
int port_of(const char* setting) noexcept {
  int port = 0;
  size_t size = sizeof port;
  return ::sysctlbyname(setting, &port, &size, nullptr, 0) == 0 ? port : 0;
}

}  // namespace

EphemeralPorts ephemeral_ports() {
  constexpr EphemeralPorts kDefault{10000, 65535};
  const int first = port_of("net.inet.ip.portrange.first");
  const int last = port_of("net.inet.ip.portrange.last");
  if (first < 1 || last > UINT16_MAX || first > last) return kDefault;
  return {static_cast<uint16_t>(first), static_cast<uint16_t>(last)};
}

}  // namespace adit
