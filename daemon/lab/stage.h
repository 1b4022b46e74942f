// The stage: throw-away machines on this machine, as far as the network is concerned, with cables between them.
//
// Who has put it up walks about on it: where they have entered, their sockets and interfaces are, and the programs they
// start there stay there.  Everything is gone when the process and its children are.  One implementation file per
// system.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <string>

#include "net/addr.h"
#include "net/fd.h"

namespace adit::lab {

class Stage {
 public:
  /// An empty stage.  The process must have one thread only and stays on the stage until its end.  Throws
  /// std::runtime_error that says what is not permitted or missing, and what to do about it.
  Stage();

  /// A new machine with nothing but its loopback; it is entered.  All below throw std::system_error.
  void add(const std::string& place);
  void enter(const std::string& place);
  /// A cable between two places: interface cable_to(b) at `a`, cable_to(a) at `b`, both down.
  void connect(const std::string& a, const std::string& b);

  // In the place that was entered last.
  void route(const Prefix& destination, const Ip& gateway);
  void forward_ipv4(bool on);

  /// A private, empty directory in memory; nobody else can read it, and nothing of it outlives the process.
  [[nodiscard]] const std::filesystem::path& directory() const noexcept { return directory_; }

 private:
  std::filesystem::path directory_;
  std::map<std::string, Fd> places_;
};

/// The interface at the near end of the cable to `place`.
inline std::string cable_to(const std::string& place) { return "to-" + place; }

/// A path under which the running program can be started again.
std::string own_program();

/// Called in a new child process of `parent`: the child will be killed when its parent dies, and is at once if it has.
void die_with(pid_t parent) noexcept;

}  // namespace adit::lab
