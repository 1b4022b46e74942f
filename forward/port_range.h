// A range of UDP ports, and which one the forwarder should draw its SNAT ports from.
#pragma once

#include <cstdint>

namespace adit::forward {

/// Both ends belong to it; empty when `last` is below `first`.
struct PortRange {
  uint16_t first = 1;
  uint16_t last = 0;

  [[nodiscard]] constexpr uint32_t size() const noexcept { return last < first ? 0 : uint32_t{last} - first + 1; }
  [[nodiscard]] constexpr bool contains(uint16_t port) const noexcept { return first <= port && port <= last; }
  constexpr bool operator==(const PortRange&) const noexcept = default;
};

/// The larger of the two ranges of unprivileged ports below and above the kernel's own ephemeral range, so that a
/// connection which the kernel opens through the tun never meets a flow.  Empty when the kernel leaves no room.
constexpr PortRange snat_range_beside(PortRange ephemeral) noexcept {
  constexpr uint16_t kFirst = 1024;
  constexpr uint16_t kLast = 65535;
  if (ephemeral.size() == 0) return {kFirst, kLast};
  const PortRange below =
      ephemeral.first > kFirst ? PortRange{kFirst, static_cast<uint16_t>(ephemeral.first - 1)} : PortRange{};
  // An ephemeral range of privileged ports alone still leaves only unprivileged ones above it.
  const uint32_t after = uint32_t{ephemeral.last} + 1;
  const PortRange above =
      after <= kLast ? PortRange{static_cast<uint16_t>(after > kFirst ? after : kFirst), kLast} : PortRange{};
  return above.size() > below.size() ? above : below;
}

}  // namespace adit::forward
