#include "tests/support/netns.h"

// In the order that they need each other.
// clang-format off
#include <sys/param.h>
#include <sys/jail.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/uio.h>
#include <poll.h>
// clang-format on

#include <array>
#include <cstring>

#include "net/interface.h"

namespace adit::test {
namespace {

/// A jail that shares everything but the network, and ends with the process that enters it.
void enter_jail_with_network() {
  static int more_inside = 100;
  --more_inside;
  int fresh = JAIL_SYS_NEW;
  const auto text = [](const char* word) { return iovec{const_cast<char*>(word), std::strlen(word) + 1}; };
  std::array<iovec, 6> parameters = {text("path"),         text("/"),
                                     text("vnet"),         iovec{&fresh, sizeof fresh},
                                     text("children.max"), iovec{&more_inside, sizeof more_inside}};
  check_call("make a jail", ::jail_set(parameters.data(), parameters.size(), JAIL_CREATE | JAIL_ATTACH));
}

/// As Linux does, and not 16 fragments of a packet at most.
void take_many_fragments() {
  const int most = 200;
  for (const char* name : {"net.inet.ip.maxfragsperpacket", "net.inet6.ip6.maxfragsperpacket"}) {
    check_call(name, ::sysctlbyname(name, nullptr, nullptr, &most, sizeof most));
  }
}

}  // namespace

const char* const kLoopback = "lo0";

std::string enter_fresh_netns() {
  try {
    enter_jail_with_network();
    set_up(kLoopback);
    take_many_fragments();
    for (uint32_t last = 1; last <= 9; ++last) {
      add_address(kLoopback, Ip::v4(0x7f000000 + last), static_cast<uint8_t>(last == 1 ? 8 : 32));
    }
    add_address(kLoopback, *Ip::parse("::1"), 128);
  } catch (const std::system_error& error) {
    return std::string("no jails with a network here: ") + error.what();
  }
  return {};
}

/// The kernel has its route at once.
bool wait_for_address(const Ip&) { return true; }

void give_room(int fd) {
  const int room = 1 << 18;
  for (const int direction : {SO_SNDBUF, SO_RCVBUF}) {
    check_call("setsockopt", ::setsockopt(fd, SOL_SOCKET, direction, &room, sizeof room));
  }
}

bool wait_readable(int fd, int timeout_ms) {
  pollfd wanted{fd, POLLIN, 0};
  return ::poll(&wanted, 1, timeout_ms) == 1;
}

}  // namespace adit::test
