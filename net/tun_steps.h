// In which order a tun is made, and unmade when a step fails, where the interface comes first and its device after
// (FreeBSD).  Without I/O: the calls are a system's, or a test's.
#pragma once

#include <string>

namespace adit {

/// Each call returns 0 or an errno value.
class TunSystem {
 public:
  enum class Set {
    kTransient,  // the interface goes with its last descriptor
    kHeader,     // the address family in front of each packet, without which there is no IPv6
    kBroadcast,  // addresses have a network and need no far end; only while it is down
  };

  TunSystem() = default;
  TunSystem(const TunSystem&) = delete;
  TunSystem& operator=(const TunSystem&) = delete;
  virtual ~TunSystem() = default;

  /// A new interface, whose name the kernel chooses.
  virtual int create_interface(std::string& name) = 0;
  /// Opens the device of that name.
  virtual int open_device(const std::string& name) = 0;
  virtual void close_device() noexcept = 0;
  virtual int set(Set what) = 0;
  virtual int rename_interface(const std::string& from, const std::string& to) = 0;
  /// Waits as long as the device is open.
  virtual void destroy_interface(const std::string& name) noexcept = 0;
  /// Whether this process is in a jail that shares the network of its host.
  virtual bool is_in_jail_without_network() = 0;
};

/// Leaves an interface of that name, down, with its device open.  Throws AdvisedError, and then nothing of it is left.
void make_tun(TunSystem& system, const std::string& name);

}  // namespace adit
