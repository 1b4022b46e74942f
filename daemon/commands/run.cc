// adit run: the gateway, until SIGTERM or SIGINT.

#include <csignal>
#include <memory>

#include "config/config.h"
#include "daemon/commands/commands.h"
#include "daemon/control.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/notify.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

std::optional<SavedState> left_in(const StateFile& file) {
  try {
    return file.read();
  } catch (const std::exception& error) {
    log::warn("starting without flows of before: {}", error.what());
    return {};
  }
}

/// None: flows will be forgotten.
std::unique_ptr<StateFile> open_state(const fs::path& file) {
  try {
    return std::make_unique<StateFile>(file);
  } catch (const std::exception& error) {
    log::warn("starting without flows of before: {}", error.what());
    return {};
  }
}

/// They go on here: who starts after an end without a farewell shall not take them for what they no longer are.
void take_over(StateFile* state) {
  try {
    if (state != nullptr) state->clear();
  } catch (const std::exception& error) {
    log::warn("{}", error.what());
  }
}

void leave(StateFile* file, const Gateway& gateway) {
  try {
    const SavedState state = gateway.save();
    if (!state.flows.empty() && file != nullptr) file->write(state);
  } catch (const std::exception& error) {
    log::warn("flows are forgotten: {}", error.what());
  }
}

}  // namespace

int run(const fs::path& file, const std::string& log_level) {
  start_log(log_level);
  // A reader of the log, or a client of the control socket, may go away: that is its end, not the gateway's.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // until there is something to reload
  const Notifier notifier;
  config::Config config = config::load(file);
  const std::string name = config.interface.name;
  const fs::path socket = control_path(name);
  if (is_served(socket)) throw AdvisedError(EADDRINUSE, "start " + name, "it runs already: adit show " + name);

  Loop loop;
  Gateway gateway(config, loop);
  config::forget_keys(config);
  ControlServer control(loop, ControlSocket(socket), gateway);
  const std::unique_ptr<StateFile> state = open_state(fs::path(socket).replace_extension(".state"));
  const std::optional<SavedState> before = state ? left_in(*state) : std::nullopt;
  gateway.reload_from(fs::absolute(file), notifier);
  loop.on_signal(SIGHUP, [&gateway] { (void)gateway.reload(); });  // the log has what became of it
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.on_signal(signal, [&loop] { loop.stop(); });
  }
  gateway.start(before);
  take_over(state.get());

  log::info("{} ready: {}", name, gateway.summary());
  notifier.ready(name + ": " + gateway.summary());
  gateway.log_means();
  if (before) log::info("{}: {} of before go on", name, counted(gateway.flows_restored(), "flow"));
  loop.run();
  notifier.stopping();
  leave(state.get(), gateway);
  if (gateway.lost_tun()) log::error("{} is gone", name);
  log::info("{} stopped", name);
  return gateway.lost_tun() ? kExitFailed : kExitDone;
}

}  // namespace adit::daemon
