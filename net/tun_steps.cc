// How it works.  The numbers of tuns are shared by all jails, so the kernel chooses one, and the interface gets its
// name at the end.  The other way, by opening /dev/tun, makes an interface also where the device that belongs to it
// cannot be seen, one more with each attempt.

#include "net/tun_steps.h"

#include "net/fd.h"

namespace adit {
namespace {

constexpr size_t kLongestName = 15;

[[noreturn]] void fail(const std::string& name, int error, const std::string& advice) {
  throw AdvisedError(error, "create tun " + name, advice);
}

std::string create_advice(TunSystem& system, int error) {
  if (error == EINVAL) return "the kernel has no tun driver: kldload if_tuntap, on the host of a jail";
  if (error != EPERM) return "";
  if (system.is_in_jail_without_network()) {
    return "this jail shares its host's network; it needs one of its own: vnet; in jail.conf";
  }
  return "it needs root, in a jail with vnet; in jail.conf; tun = false works without";
}

std::string open_advice(int error, const std::string& interface) {
  switch (error) {
    case ENOENT:
      return "the jail does not see /dev/" + interface +
             ": its ruleset in /etc/devfs.rules of the host, which devfs_ruleset in jail.conf names, needs the line: "
             "add path 'tun*' unhide";
    case EPERM:
    case EACCES:
      return "it needs root; tun = false works without";
    default:
      return "";
  }
}

/// What is taken back unless keep() was called: the device closed first, because destroying waits for that.
class Unfinished {
 public:
  Unfinished(TunSystem& system, std::string interface) : system_(system), interface_(std::move(interface)) {}
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;
  ~Unfinished() {
    if (kept_) return;
    system_.close_device();
    system_.destroy_interface(interface_);
  }
  void keep() noexcept { kept_ = true; }

 private:
  TunSystem& system_;
  const std::string interface_;
  bool kept_ = false;
};

void check_set(TunSystem& system, TunSystem::Set what, const std::string& name) {
  if (const int error = system.set(what); error != 0) fail(name, error, "");
}

void rename(TunSystem& system, const std::string& interface, const std::string& name) {
  if (interface == name) return;  // an error in old systems
  const int error = system.rename_interface(interface, name);
  if (error != 0) fail(name, error, error == EEXIST ? "an interface of this name exists already" : "");
}

}  // namespace

void make_tun(TunSystem& system, const std::string& name) {
  if (name.empty() || name.size() > kLongestName) fail(name, ENAMETOOLONG, "an interface name has 1 to 15 bytes");
  std::string interface;
  if (const int error = system.create_interface(interface); error != 0) {
    fail(name, error, create_advice(system, error));
  }
  Unfinished unfinished(system, interface);
  if (const int error = system.open_device(interface); error != 0) fail(name, error, open_advice(error, interface));
  // Older systems have no such thing, and the interface is destroyed when its device is closed.
  const int error = system.set(TunSystem::Set::kTransient);
  if (error != 0 && error != ENOTTY) fail(name, error, "");
  check_set(system, TunSystem::Set::kHeader, name);
  check_set(system, TunSystem::Set::kBroadcast, name);
  rename(system, interface, name);
  unfinished.keep();
}

}  // namespace adit
