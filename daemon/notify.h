// Telling the service manager how the gateway is: systemd's Type=notify, by datagrams as sd_notify(3) describes them.
// Without such a manager nothing is told.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "net/fd.h"

namespace adit::daemon {

class Notifier {
 public:
  /// To the socket that NOTIFY_SOCKET names, a path or, with "@" in front, an abstract name; the variable is then taken
  /// away.  Throws std::system_error when there is nobody at it.
  Notifier();

  // Each is passed over when it cannot be told.
  /// `status`: a line that `systemctl status` shows.
  void ready(std::string_view status) const;
  void reloading() const;
  void stopping() const;

 private:
  void tell(std::string_view lines) const noexcept;

  Fd socket_;  // none: nobody to tell
};

// The lines, as text.
std::string ready_text(std::string_view status);
/// `now`: of CLOCK_MONOTONIC.  systemd tells by it an answer to its own request from an earlier one.
std::string reloading_text(std::chrono::microseconds now);

}  // namespace adit::daemon
