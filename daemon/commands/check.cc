// adit check: everything that is wrong with a configuration, or that nothing is.

#include <cstdio>

#include "config/config.h"
#include "config/problems.h"
#include "daemon/commands/commands.h"

namespace adit::daemon {

int check(const std::filesystem::path& file) {
  const config::Config config = config::load(file);
  std::printf("%s: ok (interface %s, %s, %s)\n", file.c_str(), config.interface.name.c_str(),
              config::counted(config.peers.size(), "peer").c_str(),
              config::counted(config.forwards.size(), "forward").c_str());
  return kExitDone;
}

}  // namespace adit::daemon
