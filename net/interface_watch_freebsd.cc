// How it works.  The routing socket says when something changes in our own network stack, and besides we look every
// second.  When the interface is in a jail's, the socket says nothing to us, and we look by the device: it stays with
// us wherever the interface goes.  And `ifconfig wg0 destroy` says nothing to anybody: it waits until the device is
// closed.

#include <net/if.h>
#include <net/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <string_view>

#include "net/interface_watch.h"
#include "net/tun_transient_freebsd.h"

namespace adit {
namespace {

Fd open_notices() {
  return Fd(check_call("watch interfaces", ::socket(PF_ROUTE, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
}

void drain(const Fd& fd) noexcept {
  // What it says is asked for again, so nothing is lost by notices that do not fit.
  std::array<char, 8192> buffer;
  while (::read(fd.get(), buffer.data(), buffer.size()) > 0 || errno == ENOBUFS) {
  }
}

std::optional<InterfaceState> ask(const Fd& socket, const ifreq& device) noexcept {
  ifreq request = device;
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0) return {};
  InterfaceState state;
  state.up = (request.ifr_flags & IFF_UP) != 0;
  if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) state.mtu = static_cast<uint32_t>(request.ifr_mtu);
  return state;
}

/// The mode that it has anyway cannot be set while the interface is up.
InterfaceState probe(int tun_fd) noexcept {
  InterfaceState state;
  int mode = IFF_BROADCAST | IFF_MULTICAST;
  state.up = ::ioctl(tun_fd, TUNSIFMODE, &mode) < 0 && errno == EBUSY;
  tuninfo info{};
  if (::ioctl(tun_fd, TUNGIFINFO, &info) == 0) state.mtu = info.mtu;
  return state;
}

/// Whether the interface is in the group of its kind, which it leaves when somebody begins to destroy it.
bool is_in_its_group(const Fd& socket, const ifreq& device) noexcept {
  std::array<ifg_req, 16> groups{};
  ifgroupreq request{};
  std::ranges::copy(device.ifr_name, request.ifgr_name);
  request.ifgr_len = sizeof groups;
  request.ifgr_groups = groups.data();
  if (::ioctl(socket.get(), SIOCGIFGROUP, &request) < 0) return false;
  return std::ranges::any_of(groups, [](const ifg_req& each) { return std::string_view(each.ifgrq_group) == "tun"; });
}

/// Whoever destroys it has begun already: our closing the device must not.
void leave_destroying_to_others(int tun_fd) noexcept {
  int transient = 0;
  ::ioctl(tun_fd, kSetTransient, &transient);
}

}  // namespace

InterfaceWatch::InterfaceWatch(int tun_fd)
    : tun_fd_(tun_fd),
      here_(check_call("socket", ::socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0))),
      notices_(open_notices()),
      ticks_(check_call("timer", ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC))) {
  tick_every_second(true);
}

std::optional<InterfaceState> InterfaceWatch::look() noexcept {
  drain(notices_);
  drain(ticks_);
  ifreq device{};
  if (::ioctl(tun_fd_, TUNGIFNAME, &device) < 0) return {};
  const auto state = ask(here_, device);
  const bool is_in_group = state && is_in_its_group(here_, device);
  if (state && was_in_group_ && !is_in_group) {
    leave_destroying_to_others(tun_fd_);
    return {};
  }
  was_in_group_ = is_in_group;
  return state ? state : probe(tun_fd_);
}

void InterfaceWatch::tick_every_second(bool wanted) noexcept {
  if (ticking_ == wanted) return;
  ticking_ = wanted;
  const time_t interval = wanted ? 1 : 0;
  const itimerspec setting{{interval, 0}, {interval, 0}};
  ::timerfd_settime(ticks_.get(), 0, &setting, nullptr);
}

}  // namespace adit
