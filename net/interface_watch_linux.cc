// How it works.  While the interface is in our own network namespace, netlink says when something changes, and nothing
// is done until then.  In another one it could say so as well, but a socket that is open there keeps the namespace
// alive, and with it the interface: `ip netns del` would no longer end anything.  So there we look every second.

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#include <system_error>

#include "net/interface_watch.h"
#include "net/netlink_linux.h"

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

bool are_same(const Fd& netns, const Fd& other) noexcept {
  struct stat a {};
  struct stat b {};
  return ::fstat(netns.get(), &a) == 0 && ::fstat(other.get(), &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/// Any socket of its namespace does to ask about an interface.
std::optional<InterfaceState> ask(const ifreq& device) noexcept {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request = device;
  if (::ioctl(socket.get(), SIOCGIFFLAGS, &request) < 0) return {};
  InterfaceState state;
  state.up = (request.ifr_flags & IFF_UP) != 0;
  if (::ioctl(socket.get(), SIOCGIFMTU, &request) == 0) state.mtu = static_cast<uint32_t>(request.ifr_mtu);
  return state;
}

// Of another namespace our own may ask by a number that it has for it.

constexpr int32_t kNoNumber = NETNSA_NSID_NOT_ASSIGNED;

int read_number(const nlattr* attribute, void* number) {
  if (mnl_attr_get_type(attribute) == NETNSA_NSID)
    *static_cast<int32_t*>(number) = static_cast<int32_t>(mnl_attr_get_u32(attribute));
  return MNL_CB_OK;
}

int32_t number_of(const Fd& netns) {
  NetlinkRequest request("ask for a namespace's number", RTM_GETNSID, 0, rtgenmsg{});
  request.put(NETNSA_FD, static_cast<uint32_t>(netns.get()));
  int32_t number = kNoNumber;
  request.ask([&](const nlmsghdr* message) { mnl_attr_parse(message, sizeof(rtgenmsg), read_number, &number); });
  return number;
}

int32_t number_for(const Fd& netns) {
  if (const int32_t number = number_of(netns); number != kNoNumber) return number;
  NetlinkRequest request("give a namespace a number", RTM_NEWNSID, 0, rtgenmsg{});
  request.put(NETNSA_FD, static_cast<uint32_t>(netns.get()));
  request.put(NETNSA_NSID, static_cast<uint32_t>(kNoNumber));  // whichever is free
  request.send();
  return number_of(netns);
}

int read_mtu(const nlattr* attribute, void* state) {
  if (mnl_attr_get_type(attribute) == IFLA_MTU) static_cast<InterfaceState*>(state)->mtu = mnl_attr_get_u32(attribute);
  return MNL_CB_OK;
}

/// It takes CAP_NET_ADMIN there, and no going there, which would take CAP_SYS_ADMIN.
std::optional<InterfaceState> ask_in(const Fd& netns, const ifreq& device) noexcept {
  try {
    NetlinkRequest request("ask for an interface", RTM_GETLINK, 0, ifinfomsg{});
    request.put(IFLA_TARGET_NETNSID, static_cast<uint32_t>(number_for(netns)));
    request.put(IFLA_IFNAME, std::string(device.ifr_name));
    std::optional<InterfaceState> state;
    request.ask([&](const nlmsghdr* message) {
      const auto* link = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(message));
      state.emplace().up = (link->ifi_flags & IFF_UP) != 0;
      mnl_attr_parse(message, sizeof *link, read_mtu, &*state);
    });
    return state;
  } catch (const std::system_error&) {
    return {};  // the interface is probed instead
  }
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
  const auto state = here ? ask(device) : netns ? ask_in(netns, device) : std::nullopt;
  return state ? *state : probe(tun_fd_);
}

void InterfaceWatch::tick_every_second(bool wanted) noexcept {
  if (ticking_ == wanted) return;
  ticking_ = wanted;
  const time_t interval = wanted ? 1 : 0;
  const itimerspec setting{{interval, 0}, {interval, 0}};
  ::timerfd_settime(ticks_.get(), 0, &setting, nullptr);
}

}  // namespace adit
