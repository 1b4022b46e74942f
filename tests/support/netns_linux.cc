#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/ipv6_route.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <fstream>
#include <iomanip>
#include <sstream>

#include "tests/support/netns.h"

namespace adit::test {
namespace {

void write_file(const char* path, const std::string& text) {
  std::ofstream file(path);
  file << text << std::flush;
  check_call(std::string("write ") + path, file ? 0 : -1);
}

/// Without privileges a new user namespace gives them, as far as its own network namespaces go.
void enter_user_and_network_namespace() {
  const uid_t uid = getuid();
  const gid_t gid = getgid();
  check_call("unshare user and network namespace", unshare(CLONE_NEWUSER | CLONE_NEWNET));
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", "0 " + std::to_string(uid) + " 1");
  write_file("/proc/self/gid_map", "0 " + std::to_string(gid) + " 1");
}

void bring_loopback_up() {
  const Fd socket(check_call("socket", ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP;
  check_call("set lo up", ::ioctl(socket.get(), SIOCSIFFLAGS, &request));
}

std::string hex(const Ip& address) {
  std::ostringstream text;
  for (const uint8_t byte : address.raw()) text << std::hex << std::setfill('0') << std::setw(2) << unsigned{byte};
  return text.str();
}

bool has_local_route(const Ip& address) {
  std::ifstream file("/proc/self/net/ipv6_route");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string destination, length, source, source_length, gateway, metric, references, use, flags;
    words >> destination >> length >> source >> source_length >> gateway >> metric >> references >> use >> flags;
    if (destination == hex(address) && (std::stoul(flags, nullptr, 16) & RTF_LOCAL) != 0) return true;
  }
  return false;
}

}  // namespace

const char* const kLoopback = "lo";

std::string enter_fresh_netns() {
  try {
    if (unshare(CLONE_NEWNET) < 0) enter_user_and_network_namespace();
    bring_loopback_up();
  } catch (const std::system_error& error) {
    return std::string("no network namespaces here: ") + error.what();
  }
  return {};
}

Fd current_netns() {
  return Fd(check_call("open network namespace", ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)));
}

void enter_netns(const Fd& netns) { check_call("enter network namespace", setns(netns.get(), CLONE_NEWNET)); }

void drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> none{};
  check_call("drop capabilities", syscall(SYS_capset, &header, none.data()));
}

void lose_family(int family) {
  const auto word = [](size_t offset) {
    return sock_filter{BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<__u32>(offset)};
  };
  std::array<sock_filter, 6> filter = {
      word(offsetof(seccomp_data, nr)),
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 3, SYS_socket},
      word(offsetof(seccomp_data, args)),
      sock_filter{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, static_cast<__u32>(family)},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EAFNOSUPPORT},
      sock_filter{BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW},
  };
  const sock_fprog program{filter.size(), filter.data()};
  check_call("no_new_privs", ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  check_call("seccomp", ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

bool wait_for_address(const Ip& address) {
  for (int milliseconds = 0; address.is_v6() && !has_local_route(address); ++milliseconds) {
    if (milliseconds == 5000) return false;
    poll(nullptr, 0, 1);
  }
  return true;
}

void give_room(int fd) {
  const int room = 1 << 18;
  for (const int direction : {SO_SNDBUF, SO_RCVBUF}) {
    check_call("setsockopt", ::setsockopt(fd, SOL_SOCKET, direction, &room, sizeof room));
  }
}

bool wait_readable(int fd, int timeout_ms) {
  pollfd wanted{fd, POLLIN, 0};
  return poll(&wanted, 1, timeout_ms) == 1;
}

}  // namespace adit::test
