// Figures as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace adit::daemon {

/// 1536 -> "1.50 KiB", as `wg` writes sizes.
std::string size_text(uint64_t bytes);

/// "1 hour, 2 minutes, 5 seconds"; "0 seconds" for none and less.
std::string span_text(int64_t seconds);

/// The same with "ago"; "now" for none and less.
std::string ago_text(int64_t seconds);

/// "12 s", "3 min", "2 h", "5 d": the largest unit that fits.
std::string short_span_text(int64_t seconds);

/// "1.23 Mbit/s"; of bytes in a second.
std::string bit_rate_text(double bytes);
/// "120 packets/s".
std::string packet_rate_text(double packets);

}  // namespace adit::daemon
