#include <fstream>

#include "net/ephemeral_ports.h"

namespace adit {

EphemeralPorts ephemeral_ports() {
  constexpr EphemeralPorts kDefault{32768, 60999};
  std::ifstream file("/proc/sys/net/ipv4/ip_local_port_range");
  EphemeralPorts range{};
  if (!(file >> range.first >> range.last) || range.first > range.last) return kDefault;
  return range;
}

}  // namespace adit
