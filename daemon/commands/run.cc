// adit run: the gateway, until SIGTERM or SIGINT.

#include <sys/stat.h>

#include <csignal>

#include "config/config.h"
#include "config/problems.h"
#include "daemon/commands/commands.h"
#include "daemon/control.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/sandbox.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

/// The files that a gateway has while it runs.
struct Files {
  ControlSocket socket;
  std::unique_ptr<StateFile> state;  // none: flows will be forgotten
  std::optional<SavedState> before;  // from where another gateway has stopped
};

config::Config load_config(const fs::path& file, Sandbox sandbox, const std::optional<User>& user) {
  const LaterPrivileges privileges(sandbox, user);
  return config::load(file);
}

/// Who runs as another user than before cannot read what that one has left.
void remove_state_of_others(const fs::path& file, const User& user) {
  struct stat found {};
  if (::lstat(file.c_str(), &found) != 0 || found.st_uid == user.uid) return;
  log::info("flows of before are forgotten: {} is another user's than {}'s", file.string(), user.name);
  fs::remove(file);
}

Files open_files(const fs::path& socket, Sandbox sandbox, const std::optional<User>& user) {
  const fs::path state = fs::path(socket).replace_extension(".state");
  if (user) {
    share_directory(socket.parent_path(), *user);
    remove_state_of_others(state, *user);
  }
  const LaterPrivileges privileges(sandbox, user);
  Files files{ControlSocket(socket), {}, {}};
  try {
    files.state = std::make_unique<StateFile>(state);
    files.before = files.state->read();
  } catch (const std::exception& error) {
    log::warn("starting without flows of before: {}", error.what());
  }
  return files;
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

int run(const fs::path& file, const std::string& log_level, const std::string& user_name) {
  start_log(log_level);
  // A reader of the log, or a client of the control socket, may go away: that is its end, not the gateway's.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);  // until there is something to reload
  const Sandbox sandbox = wanted_sandbox();
  const std::optional<User> user = user_to_become(user_name);
  const Notifier notifier;
  prepare_for(sandbox);
  config::Config config = load_config(file, sandbox, user);
  const std::string name = config.interface.name;
  const fs::path socket = control_path(name);
  if (is_served(socket)) throw AdvisedError(EADDRINUSE, "start " + name, "it runs already: adit show " + name);

  Loop loop;
  Gateway gateway(config, loop);
  config::forget_keys(config);
  Files files = open_files(socket, sandbox, user);
  ControlServer control(loop, std::move(files.socket), gateway);
  const std::unique_ptr<StateFile> state =
      std::move(files.state);  // goes before the socket, which the next one waits for
  gateway.reload_from(fs::absolute(file), notifier);
  loop.on_signal(SIGHUP, [&gateway] { (void)gateway.reload(); });  // the log has what became of it
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.on_signal(signal, [&loop] { loop.stop(); });
  }
  enter(sandbox, user);
  gateway.start(files.before);
  take_over(state.get());

  log::info("{} ready: {}", name, gateway.summary());
  notifier.ready(name + ": " + gateway.summary());
  gateway.log_means();
  if (files.before) log::info("{}: {} of before go on", name, config::counted(gateway.flows_restored(), "flow"));
  loop.run();
  notifier.stopping();
  leave(state.get(), gateway);
  if (gateway.lost_tun()) log::error("{} is gone", name);
  log::info("{} stopped", name);
  return gateway.lost_tun() ? kExitFailed : kExitDone;
}

}  // namespace adit::daemon
