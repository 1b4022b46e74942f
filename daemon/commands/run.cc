// adit run: the gateway, until SIGTERM or SIGINT.

#include <csignal>

#include "config/config.h"
#include "daemon/commands/commands.h"
#include "daemon/control.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

namespace adit::daemon {
namespace {

std::string counted(size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace

int run(const std::filesystem::path& file, const std::string& log_level) {
  start_log(log_level);
  // A reader of the log, or a client of the control socket, may go away: that is its end, not the gateway's.
  std::signal(SIGPIPE, SIG_IGN);
  const config::Config config = config::load(file);
  const std::filesystem::path socket = control_path(config.interface.name);
  if (is_served(socket)) {
    throw AdvisedError(EADDRINUSE, "start " + config.interface.name,
                       "it runs already: adit show " + config.interface.name);
  }
  Loop loop;
  Gateway gateway(config, loop);
  ControlServer control(loop, ControlSocket(socket), gateway);
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.on_signal(signal, [&loop] { loop.stop(); });
  }
  spdlog::info("{} ready: udp port {}, {}, {}", config.interface.name, gateway.listen_port(),
               counted(config.peers.size(), "peer"), counted(config.forwards.size(), "forward"));
  gateway.log_means();
  loop.run();
  if (gateway.lost_tun()) spdlog::error("{} is gone", config.interface.name);
  spdlog::info("{} stopped", config.interface.name);
  return gateway.lost_tun() ? kExitFailed : kExitDone;
}

}  // namespace adit::daemon
