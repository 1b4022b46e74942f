// adit INTERFACE: in wireguard-go's place, with its command line, environment and control socket.  The interface begins
// without a key and without peers, and `wg` and `ip` do the rest.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <thread>

#include "config/nearest.h"
#include "daemon/commands/commands.h"
#include "daemon/control.h"
#include "daemon/daemonize.h"
#include "daemon/gateway.h"
#include "daemon/log.h"
#include "daemon/sandbox.h"
#include "daemon/setup.h"
#include "net/interface.h"

namespace adit::daemon {
namespace {

constexpr const char* kOtherName = "wireguard-go";
constexpr unsigned kDefaultMtu = 1420;

/// To get the control socket: two seconds in all.
constexpr int kAttempts = 40;
constexpr std::chrono::milliseconds kBetweenAttempts{50};

bool is_other_name(const std::string& program) { return std::filesystem::path(program).filename() == kOtherName; }

bool is_foreground_flag(const std::string& word) { return word == "-f" || word == "--foreground"; }

/// Empty when it is not set.
std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// The descriptor that a variable names; none when it is not set.
Fd inherited(const char* name) {
  const std::string text = variable(name);
  if (text.empty()) return {};
  int number = -1;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || stop != text.data() + text.size() || number < 0) {
    throw std::system_error(EINVAL, std::generic_category(), std::string(name) + "=" + text);
  }
  return Fd(number);
}

std::string log_level() {
  const std::string level = variable("LOG_LEVEL");
  if (level == "verbose" || level == "debug") return "debug";
  return level == "silent" ? level : "error";
}

/// The queues of a tun: the one that was given, or of a new one as many as there are workers.
std::vector<Tun> open_tun(const std::string& interface) {
  std::vector<Tun> tun;
  if (Fd fd = inherited(kTunVariable); fd)
    tun.push_back(Tun::adopt(std::move(fd), wanted_offloads()));
  else
    tun = Tun::create_queues(interface, workers_of(wanted_threads()), wanted_offloads());
  set_mtu(tun.front().name(), kDefaultMtu);
  set_no_automatic_addresses(tun.front().name());
  return tun;
}

/// All descriptors of a tun with several queues: each queue's own, then where it is written.
std::vector<int> descriptors(const std::vector<Tun>& tun) {
  if (tun.size() == 1) return {tun.front().fd()};
  std::vector<int> all;
  for (const Tun& queue : tun) all.insert(all.end(), {queue.fd(), queue.entrance()});
  return all;
}

/// What descriptors() were given to this process.
std::vector<Tun> take_over_tun(const std::string& others) {
  std::vector<Tun> tun;
  int next = kFirstMoreFd;
  const int end = next + std::stoi(others);
  Fd fd = inherited(kTunVariable);
  while (fd) {
    Fd entrance(next < end ? next++ : -1);
    tun.push_back(Tun::adopt(std::move(fd), wanted_offloads(), std::move(entrance)));
    fd = Fd(next < end ? next++ : -1);
  }
  return tun;
}

std::optional<ControlSocket> inherited_control() {
  Fd fd = inherited(kUapiVariable);
  if (!fd) return {};
  return ControlSocket(std::move(fd));
}

/// Who deletes an interface does not wait for the process behind it, which may be about to end when the interface is
/// made anew (`wg-quick down` and `up`).  Throws when the socket's process stays: its interface is in another
/// namespace.
ControlSocket open_control(const std::string& interface) {
  const std::filesystem::path path = control_path(interface);
  for (int attempt = 0; attempt < kAttempts && is_served(path); ++attempt)
    std::this_thread::sleep_for(kBetweenAttempts);
  return ControlSocket(path);
}

int serve(std::vector<Tun> tun, ControlSocket socket) {
  // A reader of the log, or a client of the control socket, may go away: that is its end, not ours.
  std::signal(SIGPIPE, SIG_IGN);
  const std::string name = tun.front().name();
  const Sandbox sandbox = wanted_sandbox();
  prepare_for(sandbox);
  Loop loop;
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.on_signal(signal, [&loop] { loop.stop(); });
  }
  Gateway gateway(std::move(tun), loop);
  ControlServer control(loop, std::move(socket), gateway);
  control.on_removed([&] {
    log::info("{}: the control socket was removed", name);
    loop.stop();
  });
  enter(sandbox, {});
  gateway.start();
  log::info("{} ready", name);
  gateway.log_means();
  loop.run();
  log::info("{} stopped", name);
  return kExitDone;
}

/// An interface's name that is more likely a mistyped command: a letter beside one, and without the number that such
/// names end in.  wg-quick, which must be believed, has this variable from who told it of adit.
bool is_meant_as_command(const std::string& word, std::vector<std::string> commands) {
  constexpr size_t kShortest = 4;  // of three letters one in three is another word
  if (!variable("WG_QUICK_USERSPACE_IMPLEMENTATION").empty()) return false;
  if (word.size() < kShortest || std::ranges::any_of(word, [](char c) { return c >= '0' && c <= '9'; })) return false;
  commands.insert(commands.end(), {"help", "start", "status", "stop", "version"});
  return config::nearest_name(word, commands).has_value();
}

int usage(const std::string& program) {
  const bool as_other = is_other_name(program);
  (as_other ? std::cout : std::cerr) << "Usage: " << program << " [-f/--foreground] INTERFACE-NAME\n";
  return as_other ? kExitDone : kExitUsage;
}

}  // namespace

std::optional<DeviceRequest> device_request(const std::vector<std::string>& arguments,
                                            const std::vector<std::string>& subcommands) {
  const std::vector<std::string> words(arguments.begin() + 1, arguments.end());
  const bool as_other = is_other_name(arguments.front());
  const bool foreground = !words.empty() && is_foreground_flag(words.front());
  const size_t name_at = foreground ? 1 : 0;
  if (as_other && words == std::vector<std::string>{"--version"})
    return DeviceRequest{DeviceRequest::Kind::kVersion, false, ""};

  const bool has_name = words.size() == name_at + 1 && !words[name_at].empty() && !words[name_at].starts_with('-');
  const bool is_command = !foreground && has_name && std::ranges::find(subcommands, words.front()) != subcommands.end();
  if (has_name && !as_other && !foreground && !is_command && is_meant_as_command(words.front(), subcommands)) return {};
  if (has_name && (as_other || !is_command))
    return DeviceRequest{DeviceRequest::Kind::kRun, foreground, words[name_at]};
  if (as_other || foreground) return DeviceRequest{DeviceRequest::Kind::kUsage, false, ""};
  return {};
}

int device(const DeviceRequest& request, const std::vector<std::string>& arguments) {
  if (request.kind == DeviceRequest::Kind::kUsage) return usage(arguments.front());
  if (request.kind == DeviceRequest::Kind::kVersion) {
    std::cout << kOtherName << " by adit " ADIT_VERSION "\n";
    return kExitDone;
  }
  start_log(log_level());
  // First, so that its file does not stay when the tun has gone meanwhile.
  std::optional<ControlSocket> given = inherited_control();
  const std::string others = variable(kTakesOverVariable);
  std::vector<Tun> tun = others.empty() ? open_tun(request.interface) : take_over_tun(others);
  ControlSocket socket = given ? std::move(*given) : open_control(tun.front().name());
  if (request.foreground || variable(kForegroundVariable) == "1") return serve(std::move(tun), std::move(socket));

  const bool keep_output = !variable("LOG_LEVEL").empty() && log_level() != "silent";
  start_in_background(arguments, descriptors(tun), socket.fd().get(), keep_output);
  socket.give_away();
  for (Tun& queue : tun) queue.give_away();
  return kExitDone;
}

}  // namespace adit::daemon
