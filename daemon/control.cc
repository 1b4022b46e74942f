#include "daemon/control.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <cstdlib>

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxClients = 64;
constexpr int kBacklog = 128;
constexpr std::string_view kErrno = "errno=";
/// Where `wg` looks.
constexpr const char* kCommonDirectory = "/var/run/wireguard";

sockaddr_un address_of(const fs::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.string().size() >= sizeof address.sun_path) {
    throw std::system_error(ENAMETOOLONG, std::generic_category(), "control socket " + path.string());
  }
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Fd connect_to(const fs::path& path) {
  const sockaddr_un address = address_of(path);
  Fd fd(check_call("socket", ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == -1) {
    const int error = errno;
    const bool is_nobody = error == ENOENT || error == ECONNREFUSED;
    throw AdvisedError(error, "connect to " + path.string(),
                       is_nobody ? "no gateway of this name is running" + advice_for_user() : "");
  }
  return fd;
}

/// Behind the name of a socket's file until the socket listens.
constexpr std::string_view kUnfinished = ".new";

/// Only the owner may speak to the gateway: the file is made under a umask that says so.  And it has its name only once
/// the socket listens, because `wg` removes a socket that refuses it.
Fd listen_on(const fs::path& path) {
  if (fs::create_directories(path.parent_path())) {
    fs::permissions(path.parent_path(), fs::perms(0755));  // `wg show interfaces` looks there whoever asks
  }
  if (is_served(path)) {
    throw AdvisedError(EADDRINUSE, "control socket " + path.string(), "a gateway of this name runs already");
  }
  const fs::path unfinished = path.string().append(kUnfinished);
  fs::remove(unfinished);
  const sockaddr_un address = address_of(unfinished);
  Fd fd(check_call("socket", ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  const mode_t before = ::umask(077);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  errno = error;
  check_call("bind control socket " + path.string(), bound);
  check_call("listen on " + path.string(), ::listen(fd.get(), kBacklog));
  fs::rename(unfinished, path);
  return fd;
}

}  // namespace

std::filesystem::path control_directory() {
  if (const char* chosen = std::getenv("ADIT_RUN_DIR")) return chosen;
  if (::geteuid() == 0 || ::access(kCommonDirectory, W_OK) == 0) return kCommonDirectory;
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) return fs::path(runtime) / "adit";
  return fs::path("/tmp") / ("adit-" + std::to_string(::geteuid()));
}

std::string advice_for_user() { return ::geteuid() == 0 ? "" : "; root's are seen as root: sudo"; }

std::filesystem::path control_path(const std::string& interface) { return control_directory() / (interface + ".sock"); }

// The socket and its file.

ControlSocket::ControlSocket(const fs::path& path) : fd_(listen_on(path)), path_(path) { remember_file(); }

ControlSocket::ControlSocket(Fd listening) : fd_(std::move(listening)) {
  const std::string what = "take over control socket";
  int listens = 0;
  socklen_t size = sizeof listens;
  check_call(what, ::getsockopt(fd_.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size));
  sockaddr_un address{};
  size = sizeof address - 1;
  check_call(what, ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size));
  if (listens == 0 || address.sun_family != AF_UNIX) {
    throw AdvisedError(EINVAL, what, "it must be a Unix socket that listens");
  }
  check_call(what, ::fcntl(fd_.get(), F_SETFD, FD_CLOEXEC));
  std::string_view name = address.sun_path;
  if (name.ends_with(kUnfinished)) name.remove_suffix(kUnfinished.size());  // it was bound by us, under that name
  path_ = name;
  remember_file();
}

ControlSocket::~ControlSocket() {
  if (!fd_ || is_removed()) return;
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void ControlSocket::remember_file() {
  struct stat info {};
  check_call("control socket " + path_.string(), ::stat(path_.c_str(), &info));
  device_ = info.st_dev;
  inode_ = info.st_ino;
}

bool ControlSocket::is_removed() const noexcept {
  struct stat info {};
  return ::stat(path_.c_str(), &info) < 0 || info.st_dev != device_ || info.st_ino != inode_;
}

// Server side.

/// One connection; frees itself when it is closed.  It is read only while it has no answer to take: who does not read
/// is not listened to.
struct ControlServer::Client {
  explicit Client(ControlServer* of) : server(of), conversation(of->target_) {}

  uv_pipe_t pipe{};
  ControlServer* server;
  UapiConversation conversation;
  std::string unread;  // came behind a request that is being answered
  std::string answer;
  uv_write_t write{};

  uv_stream_t* stream() { return reinterpret_cast<uv_stream_t*>(&pipe); }

  void close() {
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&pipe))) return;
    std::erase(server->clients_, this);
    uv_close(reinterpret_cast<uv_handle_t*>(&pipe),
             [](uv_handle_t* handle) { delete static_cast<Client*>(handle->data); });
  }

  void start_reading() {
    uv_read_start(
        stream(),
        [](uv_handle_t* handle, size_t, uv_buf_t* out) {
          auto& buffer = static_cast<Client*>(handle->data)->server->read_buffer_;
          *out = uv_buf_init(buffer.data(), static_cast<unsigned>(buffer.size()));
        },
        [](uv_stream_t* from, ssize_t count, const uv_buf_t* buffer) {
          auto* client = static_cast<Client*>(from->data);
          if (count < 0)
            client->end();
          else
            client->take({buffer->base, static_cast<size_t>(count)});
        });
  }

  void end() {
    conversation.take_end();
    send_answer();
  }

  void take(std::string_view bytes) {
    const size_t taken = conversation.take(bytes);
    unread.assign(bytes.substr(taken));
    send_answer();
  }

  /// Then goes on with what is unread.
  void send_answer() {
    answer = conversation.take_answer();
    if (answer.empty()) return conversation.is_over() ? close() : void();
    uv_read_stop(stream());
    write.data = this;
    const uv_buf_t buffers = uv_buf_init(answer.data(), static_cast<unsigned>(answer.size()));
    const int started = uv_write(&write, stream(), &buffers, 1, [](uv_write_t* written, int status) {
      auto* client = static_cast<Client*>(written->data);
      if (status < 0) return client->close();
      client->was_answered();
    });
    if (started < 0) close();
  }

  void was_answered() {
    if (conversation.is_over()) return close();
    start_reading();
    if (!unread.empty()) take(std::exchange(unread, {}));
  }
};

ControlServer::ControlServer(Loop& loop, ControlSocket socket, UapiTarget& target)
    : loop_(loop), socket_(std::move(socket)), target_(target) {
  listener_ = new uv_pipe_t;
  uv_pipe_init(loop_.raw(), listener_, 0);
  listener_->data = this;
  check_uv("control socket", uv_pipe_open(listener_, ::fcntl(socket_.fd().get(), F_DUPFD_CLOEXEC, 0)));
  check_uv("control socket",
           uv_listen(reinterpret_cast<uv_stream_t*>(listener_), kBacklog, [](uv_stream_t* stream, int status) {
             if (status == 0) static_cast<ControlServer*>(stream->data)->accept_client();
           }));
}

ControlServer::~ControlServer() {
  while (!clients_.empty()) clients_.back()->close();
  uv_close(reinterpret_cast<uv_handle_t*>(listener_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); });
  if (watch_ == nullptr) return;
  uv_close(reinterpret_cast<uv_handle_t*>(watch_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_fs_event_t*>(handle); });
}

/// Watches the directory: not every system can watch a socket's file.
void ControlServer::on_removed(Loop::Handler handler) {
  removed_ = std::move(handler);
  watch_ = new uv_fs_event_t;
  uv_fs_event_init(loop_.raw(), watch_);
  watch_->data = this;
  check_uv("watch control socket", uv_fs_event_start(
                                       watch_,
                                       [](uv_fs_event_t* watch, const char*, int, int) {
                                         const auto* server = static_cast<ControlServer*>(watch->data);
                                         if (server->socket_.is_removed()) server->removed_();
                                       },
                                       socket_.path().parent_path().c_str(), 0));
  if (socket_.is_removed()) removed_();  // before anybody watched
}

void ControlServer::accept_client() {
  auto* client = new Client(this);
  uv_pipe_init(loop_.raw(), &client->pipe, 0);
  client->pipe.data = client;
  clients_.push_back(client);
  if (uv_accept(reinterpret_cast<uv_stream_t*>(listener_), client->stream()) < 0 || clients_.size() > kMaxClients) {
    return client->close();
  }
  client->start_reading();
}

// Client side.

bool is_served(const fs::path& path) {
  try {
    connect_to(path);
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

namespace {

/// Where the line "errno=NUMBER" of a whole answer begins, which an empty line ends; nothing while more is to come.
std::optional<size_t> end_of_answer(std::string_view answer) {
  if (!answer.ends_with("\n\n")) return {};
  const size_t line = answer.substr(0, answer.size() - 2).rfind('\n');
  const size_t begin = line == answer.npos ? 0 : line + 1;
  if (!answer.substr(begin).starts_with(kErrno)) return {};
  return begin;
}

}  // namespace

ControlAnswer ask_gateway(const fs::path& path, std::string_view request, std::chrono::seconds patience) {
  const Fd fd = connect_to(path);
  const timeval timeout{patience.count(), 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  check_call("ask " + path.string(), ::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL));
  std::string answer;
  std::array<char, 4096> buffer;
  std::optional<size_t> end;
  while (!(end = end_of_answer(answer))) {
    const ssize_t count = check_call("read from " + path.string(), ::read(fd.get(), buffer.data(), buffer.size()));
    if (count == 0)
      throw std::system_error(EPROTO, std::generic_category(), path.string() + " does not know the question");
    answer.append(buffer.data(), static_cast<size_t>(count));
  }
  const auto error = static_cast<int>(std::strtol(answer.c_str() + *end + kErrno.size(), nullptr, 10));
  answer.resize(*end);
  return {std::move(answer), error};
}

std::string request_show(const fs::path& path) {
  std::string json = ask_gateway(path, "show=1\n\n").text;
  if (json.ends_with('\n')) json.pop_back();
  return json;
}

std::vector<std::string> controlled_interfaces() {
  std::vector<std::string> names;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(control_directory(), none)) {
    if (entry.path().extension() == ".sock" && is_served(entry.path())) names.push_back(entry.path().stem());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace adit::daemon
