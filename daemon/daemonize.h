// Going into the background as wireguard-go does: another process of this program takes over what was opened here, so
// that everything works already when the command returns.
#pragma once

#include <string>
#include <vector>

namespace adit::daemon {

/// The environment by which the process in the background is told what it has.
inline constexpr const char* kTunVariable = "WG_TUN_FD";
inline constexpr const char* kUapiVariable = "WG_UAPI_FD";
inline constexpr const char* kForegroundVariable = "WG_PROCESS_FOREGROUND";
/// Says that the tun was set up by the process that opened it, and that others may have changed it since; and with how
/// many descriptors beyond the tun's first, from kFirstMoreFd on.
inline constexpr const char* kTakesOverVariable = "ADIT_TAKES_OVER";
inline constexpr int kFirstMoreFd = 5;

/// Starts this program again with the same arguments, the descriptors as 3 (the tun's first), 4 and from 5 on (the
/// tun's others), and the environment above.  Its stdin is /dev/null, and so are stdout and stderr unless
/// `keep_output`.  It inherits nothing else.  Throws std::system_error.
void start_in_background(const std::vector<std::string>& arguments, const std::vector<int>& tun_fds, int control_fd,
                         bool keep_output);

}  // namespace adit::daemon
