#include <sys/sysctl.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "daemon/bench/machine.h"

namespace adit::bench {

Machine this_machine() {
  utsname names{};
  ::uname(&names);
  std::array<char, 256> model{};
  size_t size = model.size() - 1;
  const bool has_model = ::sysctlbyname("hw.model", model.data(), &size, nullptr, 0) == 0 && model.front() != '\0';
  Machine machine{has_model ? model.data() : names.machine, std::thread::hardware_concurrency(),
                  std::string(names.sysname) + " " + names.release, 0};
  ::getloadavg(&machine.load, 1);
  return machine;
}

ProcessCost cost_of(pid_t process) {
  const std::array<int, 4> name = {CTL_KERN, KERN_PROC, KERN_PROC_PID, process};
  kinfo_proc info{};
  size_t size = sizeof info;
  if (::sysctl(name.data(), name.size(), &info, &size, nullptr, 0) < 0 || size == 0) {
    throw std::runtime_error("look at process " + std::to_string(process) + ": it has ended");
  }
  return {std::chrono::microseconds(info.ki_runtime),
          static_cast<uint64_t>(info.ki_rssize) * static_cast<uint64_t>(::getpagesize())};
}

}  // namespace adit::bench
