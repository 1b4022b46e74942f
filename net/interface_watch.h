// What the administrator does with a tun interface: up, down, its MTU.  One implementation file per system.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "net/fd.h"

namespace adit {

struct InterfaceState {
  bool up = false;
  std::optional<uint32_t> mtu;  // none: cannot be seen from here
};

/// Follows the interface of a tun device wherever it goes: it may be renamed and moved to another network (a
/// namespace's, a jail's).
class InterfaceWatch {
 public:
  /// `tun_fd` is the caller's and outlives this.  Throws std::system_error.
  explicit InterfaceWatch(int tun_fd);

  /// When any of these is readable the state may have changed.
  [[nodiscard]] std::array<int, 2> fds() const noexcept { return {notices_.get(), ticks_.get()}; }
  /// Empties the descriptors and looks.  Nothing when the interface is gone for good.
  std::optional<InterfaceState> look() noexcept;

 private:
  void tick_every_second(bool wanted) noexcept;

  int tun_fd_;
  Fd here_;     // knows our own network: its namespace, or a socket in it
  Fd notices_;  // of that network's changes
  Fd ticks_;    // timer
  bool ticking_ = false;
  bool was_in_group_ = false;  // FreeBSD: of its kind, where it was seen last
};

}  // namespace adit
