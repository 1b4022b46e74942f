// What the kernel may do for us with packets in bulk, each a fifth to a tenth of the cost of one by one.
#pragma once

#include <string>
#include <string_view>

namespace adit {

/// Used wherever the kernel has them; a system without any ignores this.
struct Offloads {
  bool tso = true;      // TCP super-packets to and from the tun
  bool uso = true;      // UDP ones (Linux 6.2)
  bool segment = true;  // trains of datagrams to a UDP socket (UDP_SEGMENT, Linux 4.18)
  bool gro = true;      // and from it (UDP_GRO, Linux 5.0)

  bool operator==(const Offloads&) const noexcept = default;
};

/// From "all", "none", or the names above with commas between, as the environment's ADIT_OFFLOAD has them.  Throws
/// std::invalid_argument that names the word it does not know.
Offloads parse_offloads(std::string_view text);
/// The other way: "tso,gro", or "none".
std::string to_string(const Offloads& offloads);

}  // namespace adit
