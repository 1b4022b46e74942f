// Values that the configuration writes as text.  Pure: nothing is looked up.  All return nothing for text that is
// not exactly what they describe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/config.h"
#include "net/time.h"

namespace adit::config {

/// What an MTU may be.  RFC 791 asks every network for 576 bytes in one piece or more; 65455 is what 65535 leaves of a
/// datagram after the outer IPv6 and UDP headers and WireGuard's own (wg-quick's 80 bytes).
inline constexpr uint16_t kSmallestMtu = 576;
inline constexpr uint16_t kLargestMtu = 65455;

/// ASCII's letters, whatever the locale says.
char lower_case(char letter) noexcept;
std::string lower_case(std::string_view text);

/// "180s", "3m", "1h", "180" (seconds); at most a year.
std::optional<Duration> parse_duration(std::string_view text);

/// Decimal, or hexadecimal after "0x".
std::optional<uint32_t> parse_number(std::string_view text);

/// "10.1.2.5/24"; without a length it is a network of one address.  Not the unspecified or a multicast address.
std::optional<InterfaceAddress> parse_interface_address(std::string_view text);

/// "host.example:342", "192.0.2.1:342", "[2001:db8::1]:342" or, with a zone, "[fe80::1%eth0]:342"; the port is not 0.
std::optional<PeerEndpoint> parse_peer_endpoint(std::string_view text);

/// "10.0.0.0/8" or "!10.0.0.0/8".
std::optional<TableEntry> parse_table_entry(std::string_view text);

/// What wg-quick allows, which Linux and FreeBSD both take: 1 to 15 letters, digits and _ = + . -
bool is_interface_name(std::string_view text);

/// A name for people: 1 to 63 bytes, no control characters.
bool is_label(std::string_view text);

}  // namespace adit::config
