#include "daemon/name_services_linux.h"

#include <dlfcn.h>

#include <fstream>
#include <sstream>

namespace adit::daemon {
namespace {

constexpr std::string_view kDatabase = "hosts:";

/// Words of a line; those in brackets say what to do when a service has failed.
std::vector<std::string> services_in(std::string line) {
  for (size_t open; (open = line.find('[')) != line.npos;) {
    const size_t close = line.find(']', open);
    line.erase(open, close == line.npos ? line.npos : close - open + 1);
  }
  std::istringstream words(line);
  std::vector<std::string> services;
  for (std::string word; words >> word;) services.push_back(word);
  return services;
}

}  // namespace

std::vector<std::string> host_services(std::string_view nsswitch) {
  std::istringstream lines{std::string(nsswitch)};
  for (std::string line; std::getline(lines, line);) {
    line.erase(std::min(line.find('#'), line.size()));
    line.erase(0, std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with(kDatabase)) return services_in(line.substr(kDatabase.size()));
  }
  return {};
}

/// Never unloaded: the C library finds them by their names.
void load_name_services() {
  std::ifstream file("/etc/nsswitch.conf");
  std::ostringstream text;
  text << file.rdbuf();
  for (const std::string& service : host_services(text.str())) {
    (void)::dlopen(("libnss_" + service + ".so.2").c_str(), RTLD_NOW);
  }
}

}  // namespace adit::daemon
