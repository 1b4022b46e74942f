// Lists of ports as forwards write them: "27015-27030", "21,80,443,8000-8010".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/addr.h"

namespace adit::config {

/// Both ends belong to it; first <= last, and neither is 0.
struct PortRange {
  uint16_t first = 0;
  uint16_t last = 0;
  [[nodiscard]] uint32_t size() const noexcept { return 1u + last - first; }
  bool operator==(const PortRange&) const noexcept = default;
};
using PortList = std::vector<PortRange>;  // in the order written

/// How many ports a list has; one that is written twice counts twice.
uint64_t count_ports(const PortList& list) noexcept;

/// Every port, in the order written.
std::vector<uint16_t> all_ports(const PortList& list);

/// The smallest port that a list has twice, if any.
std::optional<uint16_t> repeated_port(PortList list);

/// "27015-27030", or "80" for a range of one.
std::string to_string(PortRange range);
/// "21,80,8000-8010".
std::string to_string(const PortList& list);

/// Reads a list of ports and ranges between commas, with or without blanks beside them.  What is wrong with it, or
/// nothing: then `list` holds at least one range.
std::optional<std::string> read_ports(std::string_view text, PortList& list);

/// "192.0.2.1:PORTS" or "[2001:db8::1]:PORTS".
struct AddressAndPorts {
  Ip ip;
  std::optional<std::string_view> ports;  // what follows the colon, if there is one
};
std::optional<AddressAndPorts> split_address(std::string_view text);

}  // namespace adit::config
