// The control socket: a Unix stream socket per gateway, where `wg` and `adit show` ask and set (daemon/uapi.h).
#pragma once

#include <sys/types.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/loop.h"
#include "daemon/uapi.h"
#include "net/fd.h"

namespace adit::daemon {

/// Where control sockets are: $ADIT_RUN_DIR, else /var/run/wireguard for root and for users who may write there, else a
/// directory of the user's own.
std::filesystem::path control_directory();
std::filesystem::path control_path(const std::string& interface);
/// What ends a message that nobody is there: for who is not root, that root's gateways are root's to see.
std::string advice_for_user();

/// A socket that listens, and its file, which exists as long as this object unless somebody removes it.
class ControlSocket {
 public:
  /// Throws std::system_error, also when another process serves `path`.
  explicit ControlSocket(const std::filesystem::path& path);
  /// Takes over a socket that listens already.  Throws std::system_error if it is not one.
  explicit ControlSocket(Fd listening);
  ~ControlSocket();
  ControlSocket(ControlSocket&& other) noexcept = default;
  ControlSocket& operator=(ControlSocket&&) = delete;

  [[nodiscard]] const Fd& fd() const noexcept { return fd_; }
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Whether the file is no longer there, or another one is in its place.
  [[nodiscard]] bool is_removed() const noexcept;
  /// Another process has the socket from now on: its file is not ours to remove.
  void give_away() noexcept { fd_ = Fd(); }

 private:
  void remember_file();

  Fd fd_;
  std::filesystem::path path_;
  dev_t device_ = 0;  // with inode_: which file it is
  ino_t inode_ = 0;
};

/// Server side.  SIGPIPE must be ignored: clients may go away in the middle of an answer.
class ControlServer {
 public:
  ControlServer(Loop& loop, ControlSocket socket, UapiTarget& target);
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Calls `handler`, from the loop or at once, when somebody has removed the socket's file.  Throws when that cannot
  /// be watched.
  void on_removed(Loop::Handler handler);

 private:
  struct Client;
  void accept_client();

  Loop& loop_;
  ControlSocket socket_;
  UapiTarget& target_;
  uv_pipe_t* listener_;             // libuv's until closed
  uv_fs_event_t* watch_ = nullptr;  // libuv's until closed
  Loop::Handler removed_;
  std::vector<Client*> clients_;  // each libuv's until closed
  /// For whichever client has something to say.  Small, so that a large set lets packets pass in between.
  std::array<char, 4096> read_buffer_;
};

/// Whether a gateway answers at `path`.
bool is_served(const std::filesystem::path& path);

/// What a gateway has answered.
struct ControlAnswer {
  std::string text;  // lines
  int error;         // 0, or a negative errno value
};

/// Client side: asks the gateway at `path`, such as "show=1" and an empty line.  Throws std::system_error when nobody
/// answers.
ControlAnswer ask_gateway(const std::filesystem::path& path, std::string_view request,
                          std::chrono::seconds patience = std::chrono::seconds(5));
/// Its JSON.
std::string request_show(const std::filesystem::path& path);

/// The names of the interfaces that have a control socket, in order.
std::vector<std::string> controlled_interfaces();

}  // namespace adit::daemon
