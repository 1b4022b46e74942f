// Places are network namespaces.  Who may not make any gets a user namespace around them, in which they may.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <system_error>

#include "daemon/lab/stage.h"
#include "net/interface.h"
#include "net/netlink_linux.h"

namespace adit::lab {
namespace {

/// One write, because some of these files take no second.
void write_file(const std::string& path, const std::string& text) {
  const std::string what = "write " + path;
  const Fd file(check_call(what, ::open(path.c_str(), O_WRONLY | O_CLOEXEC)));
  check_call(what, ::write(file.get(), text.data(), text.size()));
}

/// Root inside, and still ourselves to everyone outside (user_namespaces(7)).
void enter_user_namespace() {
  const std::string uid = std::to_string(::getuid());
  const std::string gid = std::to_string(::getgid());
  check_call("create a user namespace", ::unshare(CLONE_NEWUSER));
  write_file("/proc/self/setgroups", "deny");
  write_file("/proc/self/uid_map", "0 " + uid + " 1");
  write_file("/proc/self/gid_map", "0 " + gid + " 1");
}

/// A view of the file system where /var/run is memory of our own: keys never touch a disk, wireguard-go's control
/// socket, whose path is fixed, is not in the way of a real one, and the kernel cleans up even after SIGKILL.
void hide_run_directory() {
  check_call("keep mounts private", ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
  check_call("mount memory on /var/run",
             ::mount("tmpfs", "/var/run", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=16m"));
}

void require_tun() {
  const char* const device = "/dev/net/tun";
  const Fd fd(::open(device, O_RDWR | O_CLOEXEC));
  if (fd) return;
  const std::string hint =
      errno == EACCES ? " (run as root, or let everyone use it: chmod 666 /dev/net/tun)" : " (as root: modprobe tun)";
  throw std::runtime_error("open " + std::string(device) + ": " + std::generic_category().message(errno) + hint);
}

Fd current_namespace() {
  return Fd(check_call("open network namespace", ::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)));
}

}  // namespace

Stage::Stage() : directory_("/var/run") {
  require_tun();
  try {
    if (::unshare(CLONE_NEWNS) < 0) {
      enter_user_namespace();
      check_call("create a mount namespace", ::unshare(CLONE_NEWNS));
    }
    hide_run_directory();
    check_call("create a network namespace", ::unshare(CLONE_NEWNET));
  } catch (const std::system_error& error) {
    throw std::runtime_error(
        std::string(error.what()) +
        " (run as root, or allow user namespaces: sysctl user.max_user_namespaces above 0, on Debian"
        " kernel.unprivileged_userns_clone=1, on Ubuntu"
        " kernel.apparmor_restrict_unprivileged_userns=0)");
  }
}

void Stage::add(const std::string& place) {
  check_call("create network namespace " + place, ::unshare(CLONE_NEWNET));
  places_.emplace(place, current_namespace());
  set_up("lo");
}

void Stage::enter(const std::string& place) {
  check_call("enter network namespace " + place, ::setns(places_.at(place).get(), CLONE_NEWNET));
}

void Stage::connect(const std::string& a, const std::string& b) {
  enter(a);
  create_veth(cable_to(b), cable_to(a));
  move_to_namespace(cable_to(a), places_.at(b).get());
}

void Stage::route(const Prefix& destination, const Ip& gateway) { add_route_via(destination, gateway); }

// /proc/sys/net shows each reader the namespace it is in.
void Stage::forward_ipv4(bool on) { write_file("/proc/sys/net/ipv4/ip_forward", on ? "1" : "0"); }

std::string own_program() { return "/proc/self/exe"; }

void die_with(pid_t parent) noexcept {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
}

}  // namespace adit::lab
