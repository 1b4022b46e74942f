#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <unistd.h>

#include "daemon/doctor/machine.h"

namespace adit::doctor {

/// Opening the device would make one, so it is only looked at: what a jail hides is not there.
void look_at_rights(Machine& machine) {
  machine.may_administer = ::geteuid() == 0;
  machine.tun_error = ::access("/dev/tun", R_OK | W_OK) == 0 ? 0 : errno;
}

std::optional<bool> clock_is_synchronized() {
  timex request{};
  const int state = ::ntp_adjtime(&request);
  if (state < 0) return {};
  return state != TIME_ERROR && (request.status & STA_UNSYNC) == 0;
}

/// Of whom sockets are the kernel tells in a form of its own, which sockstat(1) reads.
std::string holder_of(uint16_t /*port*/, bool /*tcp*/) { return ""; }

void forbid_fragments(int fd, bool v4) {
  const int on = 1;
  ::setsockopt(fd, v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}, v4 ? IP_DONTFRAG : IPV6_DONTFRAG, &on, sizeof on);
}

Advice advice_of_system() {
  return {.open_port = "in /etc/pf.conf: pass in proto PROTOCOL to port PORT, then: service pf reload",
          .who_has = "sockstat -l -p PORT",
          .load_tun = "kldload if_tuntap; in a VNET jail: add path 'tun*' unhide, in its devfs rules",
          .start = "service adit start; /var/log/messages says why it ended",
          .clock_sync = "set it right: sysrc ntpd_enable=YES; service ntpd start"};
}

}  // namespace adit::doctor
