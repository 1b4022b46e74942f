#include "daemon/control.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxClients = 32;
constexpr int kBacklog = 16;
constexpr std::string_view kShowRequest = "show=1\n\n";
constexpr std::string_view kShowEnd = "\nerrno=0\n\n";

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
  check_call("connect to " + path.string(),
             ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return fd;
}

/// Only the owner may speak to the gateway: the file is made under a umask that says so.
Fd listen_on(const fs::path& path) {
  fs::create_directories(path.parent_path());
  if (is_served(path)) {
    throw AdvisedError(EADDRINUSE, "control socket " + path.string(), "a gateway of this name runs already");
  }
  fs::remove(path);
  const sockaddr_un address = address_of(path);
  Fd fd(check_call("socket", ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)));
  const mode_t before = ::umask(077);
  const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(before);
  errno = error;
  check_call("bind control socket " + path.string(), bound);
  check_call("listen on " + path.string(), ::listen(fd.get(), kBacklog));
  return fd;
}

void delete_pipe(uv_handle_t* handle) { delete reinterpret_cast<uv_pipe_t*>(handle); }

}  // namespace

std::filesystem::path control_directory() {
  if (const char* chosen = std::getenv("ADIT_RUN_DIR")) return chosen;
  if (::geteuid() == 0) return "/var/run/wireguard";
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR")) return fs::path(runtime) / "adit";
  return fs::path("/tmp") / ("adit-" + std::to_string(::geteuid()));
}

std::filesystem::path control_path(const std::string& interface) { return control_directory() / (interface + ".sock"); }

// Server side.

/// One connection; frees itself when it is closed.
struct ControlServer::Client {
  uv_pipe_t pipe;
  ControlServer* server;
  std::string request;
  std::string answer;
  uv_write_t write;
  std::array<char, 512> buffer;

  void close() {
    if (uv_is_closing(reinterpret_cast<uv_handle_t*>(&pipe))) return;
    std::erase(server->clients_, this);
    uv_close(reinterpret_cast<uv_handle_t*>(&pipe),
             [](uv_handle_t* handle) { delete static_cast<Client*>(handle->data); });
  }

  void read_some(ssize_t count) {
    if (count < 0) return close();
    request.append(buffer.data(), static_cast<size_t>(count));
    while (request.starts_with(kShowRequest)) {
      request.erase(0, kShowRequest.size());
      send_answer();
    }
    if (!kShowRequest.starts_with(request)) close();
  }

  void send_answer() {
    if (!answer.empty()) return close();  // it asks again before it has read the last answer
    answer = server->show_() + std::string(kShowEnd);
    write.data = this;
    const uv_buf_t buffers = uv_buf_init(answer.data(), static_cast<unsigned>(answer.size()));
    const int started =
        uv_write(&write, reinterpret_cast<uv_stream_t*>(&pipe), &buffers, 1, [](uv_write_t* written, int status) {
          auto* client = static_cast<Client*>(written->data);
          client->answer.clear();
          if (status < 0) client->close();
        });
    if (started < 0) close();
  }
};

ControlServer::ControlServer(Loop& loop, const fs::path& path, std::function<std::string()> show)
    : loop_(loop), path_(path), show_(std::move(show)) {
  Fd fd = listen_on(path);
  listener_ = new uv_pipe_t;
  uv_pipe_init(loop_.raw(), listener_, 0);
  listener_->data = this;
  check_uv("control socket", uv_pipe_open(listener_, ::dup(fd.get())));
  check_uv("control socket", uv_listen(reinterpret_cast<uv_stream_t*>(listener_), kBacklog,
                                       [](uv_stream_t* stream, int status) {
                                         if (status == 0) static_cast<ControlServer*>(stream->data)->accept_client();
                                       }));
}

ControlServer::~ControlServer() {
  std::error_code ignored;
  fs::remove(path_, ignored);
  while (!clients_.empty()) clients_.back()->close();
  uv_close(reinterpret_cast<uv_handle_t*>(listener_), &delete_pipe);
}

void ControlServer::accept_client() {
  auto* client = new Client{};
  uv_pipe_init(loop_.raw(), &client->pipe, 0);
  client->pipe.data = client;
  client->server = this;
  clients_.push_back(client);
  auto* stream = reinterpret_cast<uv_stream_t*>(&client->pipe);
  if (uv_accept(reinterpret_cast<uv_stream_t*>(listener_), stream) < 0 || clients_.size() > kMaxClients) {
    return client->close();
  }
  uv_read_start(
      stream,
      [](uv_handle_t* handle, size_t, uv_buf_t* out) {
        auto* reader = static_cast<Client*>(handle->data);
        *out = uv_buf_init(reader->buffer.data(), static_cast<unsigned>(reader->buffer.size()));
      },
      [](uv_stream_t* from, ssize_t count, const uv_buf_t*) {
        static_cast<Client*>(from->data)->read_some(count);
      });
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

std::string request_show(const fs::path& path) {
  const Fd fd = connect_to(path);
  const timeval patience{5, 0};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  check_call("ask " + path.string(), ::write(fd.get(), kShowRequest.data(), kShowRequest.size()));
  std::string answer;
  std::array<char, 4096> buffer;
  while (!answer.ends_with(kShowEnd)) {
    const ssize_t count = check_call("read from " + path.string(), ::read(fd.get(), buffer.data(), buffer.size()));
    if (count == 0) throw std::system_error(EPROTO, std::generic_category(), path.string() + " is not adit's");
    answer.append(buffer.data(), static_cast<size_t>(count));
  }
  answer.resize(answer.size() - kShowEnd.size());
  return answer;
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
