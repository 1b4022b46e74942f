// An outer datagram: a packet with the two addresses of the UDP socket it came in by or will leave by.
#pragma once

#include <vector>

#include "net/addr.h"
#include "net/packet.h"

namespace adit {

/// The local side of a datagram: the address it was sent to, so that an answer can leave from the same one.
/// Unspecified means "the kernel chooses".
struct Local {
  Ip ip;
  uint32_t interface = 0;  // index of the interface it came in by, 0 if not known

  bool operator==(const Local&) const noexcept = default;
};

struct Datagram {
  Packet packet;
  Endpoint remote;
  Local local;
  uint8_t tos = 0;  // traffic class: DSCP and ECN bits, to send with or received with
};

/// Datagrams on their way through one call.  Storage is kept between uses.
using Datagrams = std::vector<Datagram>;

}  // namespace adit
