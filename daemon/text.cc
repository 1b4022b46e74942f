#include "daemon/text.h"

#include <array>
#include <cstdio>
#include <iterator>

namespace adit::daemon {

std::string size_text(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return std::to_string(bytes) + " B";
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  for (; value >= 1024 && unit + 1 < std::size(kUnits); ++unit) value /= 1024;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.2f %s", value, kUnits[unit]);
  return text.data();
}

std::string span_text(int64_t seconds) {
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
  if (seconds <= 0) return "0 seconds";
  std::string text;
  for (const Unit& unit : kUnits) {
    const int64_t count = seconds / unit.seconds;
    seconds %= unit.seconds;
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + unit.name + (count == 1 ? "" : "s");
  }
  return text;
}

std::string ago_text(int64_t seconds) { return seconds <= 0 ? "now" : span_text(seconds) + " ago"; }

std::string short_span_text(int64_t seconds) {
  if (seconds < 120) return std::to_string(seconds < 0 ? 0 : seconds) + " s";
  if (seconds < 120 * 60) return std::to_string(seconds / 60) + " min";
  if (seconds < 48 * 3600) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " d";
}

std::string bit_rate_text(double bytes) {
  static constexpr const char* kUnits[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"};
  double value = bytes * 8;
  size_t unit = 0;
  for (; value >= 1000 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), unit == 0 || value >= 100 ? "%.0f %s" : "%.3g %s", value, kUnits[unit]);
  return text.data();
}

std::string packet_rate_text(double packets) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%.0f packets/s", packets);
  return text.data();
}

}  // namespace adit::daemon
