#include <limits.h>
#include <sys/sysctl.h>
#include <sys/types.h>

#include <array>

#include "daemon/program.h"
#include "net/fd.h"

namespace adit::daemon {

std::filesystem::path program_path() {
  const std::array<int, 4> name = {CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1};  // -1: this process
  std::array<char, PATH_MAX> path{};
  size_t size = path.size();
  check_call("find the running program", ::sysctl(name.data(), name.size(), path.data(), &size, nullptr, 0));
  return path.data();
}

}  // namespace adit::daemon
