// adit check: everything that is wrong with a configuration, or that nothing is.

#include <cstdio>

#include "config/config.h"
#include "daemon/commands/commands.h"

namespace adit::daemon {

int check(const std::filesystem::path& file) {
  const config::Config config = config::load(file);
  std::printf("%s: ok (interface %s, %zu peer%s, %zu forward%s)\n", file.c_str(), config.interface.name.c_str(),
              config.peers.size(), config.peers.size() == 1 ? "" : "s", config.forwards.size(),
              config.forwards.size() == 1 ? "" : "s");
  return kExitDone;
}

}  // namespace adit::daemon
