// How it works.  While the interface is in our own network namespace, netlink says when something changes, and nothing
// is done until then.  In another one it could say so as well, but a socket that is open there keeps the namespace
// alive, and with it the interface: `ip netns del` would no longer end anything.  So there we look every second.

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <system_error>
#include <thread>

#include "net/interface_watch.h"

namespace adit {
namespace {

Fd open_notices() {
  const std::string what = "watch interfaces";
  Fd fd(check_call(what, ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = RTMGRP_LINK;
  check_call(what, ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return fd;
}

void drain(const Fd& fd) noexcept {
  // What it says is asked for again, so nothing is lost by notices that do not fit.
  std::array<char, 8192> buffer;
  while (::read(fd.get(), buffer.data(), buffer.size()) > 0 || errno == ENOBUFS) {
  }
}

/// A socket inside a namespace, made by a thread that goes there: this one stays where it is.
Fd socket_in(const Fd& netns) noexcept {
  Fd fd;
  try {
    std::thread([&] {
      if (::setns(netns.get(), CLONE_NEWNET) == 0) fd = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    }).join();
  } catch (const std::system_error&) {
    // No thread: the interface is probed instead.
  }
  return fd;
}

bool are_same(const Fd& netns, const Fd& other) noexcept {
  struct stat a {};
  struct stat b {};
  return ::fstat(netns.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Any socket does to ask about the interfaces of the namespace it was made in.
std::optional<InterfaceState> ask(const Fd& socket, const ifreq& device) noexcept {
  ifreq request = device;
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0) return {};
  InterfaceState state;
  state.up = (request.ifr_flags & IFF_UP) != 0;
  if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) state.mtu = static_cast<uint32_t>(request.ifr_mtu);
  return state;
}

/// Without a way into its namespace: an interface that is down says so before it finds fault with an empty packet.
InterfaceState probe(int tun_fd) noexcept { return {::write(tun_fd, "", 0) >= 0 || errno != EIO, {}}; }

}  // namespace

InterfaceWatch::InterfaceWatch(int tun_fd)
    : tun_fd_(tun_fd),
      here_(check_call("open network namespace", ::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC))),
      notices_(open_notices()),
      ticks_(check_call("timer", ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC))) {}

std::optional<InterfaceState> InterfaceWatch::look() noexcept {
  drain(notices_);
  drain(ticks_);
  ifreq device{};
  if (::ioctl(tun_fd_, TUNGETIFF, &device) < 0) return {};
  // Not permitted when it belongs to another user namespace.
  const Fd netns(::ioctl(tun_fd_, TUNGETDEVNETNS));
  const bool here = netns && are_same(netns, here_);
  tick_every_second(!here);
  const Fd socket = here ? Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) : netns ? socket_in(netns) : Fd();
  if (const auto state = ask(socket, device)) return state;
  return probe(tun_fd_);
}

void InterfaceWatch::tick_every_second(bool wanted) noexcept {
  if (ticking_ == wanted) return;
  ticking_ = wanted;
  const time_t interval = wanted ? 1 : 0;
  const itimerspec setting{{interval, 0}, {interval, 0}};
  ::timerfd_settime(ticks_.get(), 0, &setting, nullptr);
}

}  // namespace adit
