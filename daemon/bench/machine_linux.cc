#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "daemon/bench/machine.h"

namespace adit::bench {
namespace {

/// What stands behind the colon of the first line that begins with `key`; empty when none does.
std::string field(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == line.npos) continue;
    const size_t begin = line.find_first_not_of(" \t", colon + 1);
    return begin == line.npos ? "" : line.substr(begin);
  }
  return "";
}

/// proc(5): user and system time are the fields 14 and 15 of `stat`, in ticks; field 2, a name in parentheses, may
/// contain anything.
Duration processor_time(const std::string& directory) {
  std::string text;
  std::getline(std::ifstream(directory + "/stat"), text);
  const size_t name_end = text.rfind(')');
  if (name_end == text.npos) throw std::runtime_error("read " + directory + "/stat: the process has ended");
  std::istringstream fields(text.substr(name_end + 1));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  int64_t user = 0, system = 0;
  fields >> user >> system;
  return Duration(seconds(user + system)) / ::sysconf(_SC_CLK_TCK);
}

}  // namespace

Machine this_machine() {
  utsname names{};
  ::uname(&names);
  const std::string model = field("/proc/cpuinfo", "model name");
  Machine machine{model.empty() ? names.machine : model, std::thread::hardware_concurrency(),
                  std::string(names.sysname) + " " + names.release, 0};
  ::getloadavg(&machine.load, 1);
  return machine;
}

ProcessCost cost_of(pid_t process) {
  const std::string directory = "/proc/" + std::to_string(process);
  const std::string kib = field(directory + "/status", "VmRSS");
  return {processor_time(directory), std::strtoull(kib.c_str(), nullptr, 10) * 1024};
}

}  // namespace adit::bench
