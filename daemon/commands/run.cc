// adit run: the gateway, until SIGTERM or SIGINT.

#include <csignal>

#include "config/config.h"
#include "daemon/commands/commands.h"
#include "daemon/control.h"
#include "daemon/gateway.h"
#include "daemon/log.h"

namespace adit::daemon {
namespace {

std::optional<SavedState> left_at(const std::filesystem::path& file) {
  try {
    return read_state(file);
  } catch (const std::exception& error) {
    log::warn("starting without flows of before: {}", error.what());
    return {};
  }
}

void leave(const std::filesystem::path& file, const Gateway& gateway) {
  try {
    const SavedState state = gateway.save();
    if (!state.flows.empty()) write_state(file, state);
  } catch (const std::exception& error) {
    log::warn("flows are forgotten: {}", error.what());
  }
}

}  // namespace

int run(const std::filesystem::path& file, const std::string& log_level) {
  start_log(log_level);
  // A reader of the log, or a client of the control socket, may go away: that is its end, not the gateway's.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // until there is something to reload
  config::Config config = config::load(file);
  const std::filesystem::path socket = control_path(config.interface.name);
  if (is_served(socket)) {
    throw AdvisedError(EADDRINUSE, "start " + config.interface.name,
                       "it runs already: adit show " + config.interface.name);
  }
  const std::filesystem::path state = std::filesystem::path(socket).replace_extension(".state");
  Loop loop;
  Gateway gateway(config, loop);
  config::forget_keys(config);
  ControlServer control(loop, ControlSocket(socket), gateway);
  gateway.reload_from(std::filesystem::absolute(file));
  loop.on_signal(SIGHUP, [&gateway] { (void)gateway.reload(); });  // the log has what became of it
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.on_signal(signal, [&loop] { loop.stop(); });
  }
  gateway.start(left_at(state));
  log::info("{} ready: udp port {}, {}, {}", config.interface.name, gateway.listen_port(),
            counted(config.peers.size(), "peer"), counted(config.forwards.size(), "forward"));
  gateway.log_means();
  std::error_code none;
  if (std::filesystem::remove(state, none)) {
    log::info("{}: {} of before go on", config.interface.name, counted(gateway.flows_restored(), "flow"));
  }
  loop.run();
  leave(state, gateway);
  if (gateway.lost_tun()) log::error("{} is gone", config.interface.name);
  log::info("{} stopped", config.interface.name);
  return gateway.lost_tun() ? kExitFailed : kExitDone;
}

}  // namespace adit::daemon
