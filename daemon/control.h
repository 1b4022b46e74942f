// The control socket: a Unix stream socket per gateway, where `adit show` asks what it is doing.
//
// A request is lines up to an empty one, the first "show=1"; the answer is one line of JSON, "errno=0" and an empty
// line.  Any other first line ends the connection without an answer.  (The framing is WireGuard's
// cross-platform interface's, https://www.wireguard.com/xplatform/.)
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "daemon/loop.h"
#include "net/fd.h"

namespace adit::daemon {

/// Where control sockets are: $ADIT_RUN_DIR, else /var/run/wireguard for root, else a directory of the user's own.
std::filesystem::path control_directory();
std::filesystem::path control_path(const std::string& interface);

/// Server side.  The socket file exists as long as this object.
class ControlServer {
 public:
  /// `show` gives the answer to a show request.  Throws std::system_error, also when another process serves `path`.
  ControlServer(Loop& loop, const std::filesystem::path& path, std::function<std::string()> show);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

 private:
  struct Client;
  void accept_client();

  Loop& loop_;
  std::filesystem::path path_;
  std::function<std::string()> show_;
  uv_pipe_t* listener_;  // libuv's until closed
  std::vector<Client*> clients_;  // each libuv's until closed
};

/// Whether a gateway answers at `path`.
bool is_served(const std::filesystem::path& path);

/// Client side: asks the gateway at `path` and returns its JSON.  Throws std::system_error when nobody answers.
std::string request_show(const std::filesystem::path& path);

/// The names of the interfaces that have a control socket, in order.
std::vector<std::string> controlled_interfaces();

}  // namespace adit::daemon
