#include "daemon/control.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <future>
#include <thread>

#include "tests/support/paper_device.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

/// A server in a loop that turns on a thread of its own until the test ends.
class Control : public testing::Test {
 protected:
  Control() {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    std::string name = "/tmp/adit-control-XXXXXX";
    directory_ = mkdtemp(name.data());
    path_ = directory_ / "wg0.sock";
  }
  ~Control() override {
    if (thread_.joinable()) {
      uv_async_send(&stop_);
      thread_.join();
    }
    fs::remove_all(directory_);
  }

  void serve(std::string answer) {
    device_.shown = std::move(answer);
    server_.emplace(loop_, ControlSocket(path_), device_);
    uv_async_init(loop_.raw(), &stop_, [](uv_async_t* async) { static_cast<Loop*>(async->data)->stop(); });
    stop_.data = &loop_;
    thread_ = std::thread([this] { loop_.run(); });
  }

  Fd connect() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    Fd fd(::socket(AF_UNIX, SOCK_STREAM, 0));
    const timeval patience{10, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    return fd;
  }
  static void write_text(const Fd& fd, const std::string& text) {
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Until the other side closes.
  static std::string read_all(const Fd& fd) {
    std::string all;
    char buffer[4096];
    for (ssize_t count; (count = ::read(fd.get(), buffer, sizeof buffer)) > 0;) {
      all.append(buffer, static_cast<size_t>(count));
    }
    return all;
  }

  fs::path directory_, path_;
  Loop loop_;
  test::PaperDevice device_;
  std::optional<ControlServer> server_;
  uv_async_t stop_;
  std::thread thread_;
};

TEST_F(Control, AnswersAShowRequest) {
  serve(R"({"a":1})");
  EXPECT_EQ(request_show(path_), R"({"a":1})");
  EXPECT_EQ(request_show(path_), R"({"a":1})");
}

TEST_F(Control, AnswersALargerThanASocketBuffer) {
  const std::string large(8 << 20, 'x');
  serve(large);
  EXPECT_EQ(request_show(path_), large);
}

TEST_F(Control, SeveralRequestsMayUseOneConnection) {
  serve("{}");
  const Fd client = connect();
  for (int i = 0; i < 3; ++i) {
    write_text(client, "show=1\n\n");
    char buffer[64];
    ASSERT_EQ(::recv(client.get(), buffer, 12, MSG_WAITALL), 12);
    EXPECT_EQ(std::string(buffer, 12), "{}\nerrno=0\n\n");
  }
}

TEST_F(Control, ARequestMayComeInPieces) {
  serve("{}");
  const Fd client = connect();
  for (const char letter : std::string("show=1\n\n")) write_text(client, std::string(1, letter));
  char buffer[64];
  EXPECT_EQ(::recv(client.get(), buffer, 12, MSG_WAITALL), 12);
}

TEST_F(Control, ClosesWithoutAnAnswerOnAnythingElse) {
  serve("{}");
  for (const std::string request : {"hello\n\n", "show=2\n\n", "\n"}) {
    const Fd client = connect();
    write_text(client, request);
    EXPECT_EQ(read_all(client), "") << request;
  }
}

TEST_F(Control, AClientThatNeverAsksBlocksNobody) {
  serve("{}");
  const Fd silent = connect();
  EXPECT_EQ(request_show(path_), "{}");
}

TEST_F(Control, AClientThatNeverReadsBlocksNobody) {
  serve(std::string(8 << 20, 'x'));
  const Fd stuck = connect();
  write_text(stuck, "show=1\n\n");
  EXPECT_EQ(request_show(path_).size(), size_t{8 << 20});
}

TEST_F(Control, OnlyTheOwnerMayConnect) {
  serve("{}");
  struct stat info {};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
}

TEST_F(Control, MakesItsDirectoryWhereThereIsNone) {
  path_ = directory_ / "run" / "wireguard" / "wg0.sock";
  const mode_t before = ::umask(077);
  serve("{}");
  ::umask(before);
  EXPECT_EQ(request_show(path_), "{}");
  struct stat info {};
  ASSERT_EQ(::stat(path_.parent_path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0755u) << "for whoever asks which interfaces there are";
}

TEST_F(Control, ASecondServerIsRefusedAndTheFirstLives) {
  serve("{}");
  EXPECT_THROW(ControlSocket{path_}, std::system_error);
  EXPECT_EQ(request_show(path_), "{}");
}

TEST_F(Control, ASocketLeftBehindIsReplaced) {
  Fd left(::socket(AF_UNIX, SOCK_STREAM, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(left.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  left = Fd();
  serve("{}");
  EXPECT_EQ(request_show(path_), "{}");
}

TEST_F(Control, ASetAsLargeAsTheyComeIsAppliedAndAnswered) {
  serve("{}");
  constexpr size_t kPeers = 10000;
  const Fd client = connect();
  std::string request = "set=1\n";
  for (size_t i = 0; i < kPeers; ++i) {
    char line[80];
    std::snprintf(line, sizeof line, "public_key=%064zx\n", i + 1);
    request += line;
    for (int ip = 0; ip < 10; ++ip) {
      request += "allowed_ip=10." + std::to_string(i / 256) + "." + std::to_string(i % 256) + "." + std::to_string(ip) +
                 "/32\n";
    }
  }
  write_text(client, request + "\nget=1\n\n");
  ::shutdown(client.get(), SHUT_WR);
  const std::string answer = read_all(client);
  EXPECT_TRUE(answer.starts_with("errno=0\n\npublic_key=")) << answer.substr(0, 100);
  EXPECT_TRUE(answer.ends_with("\nerrno=0\n\n"));
  EXPECT_EQ(device_.peers.size(), kPeers);
}

TEST_F(Control, AClientThatHasSentEverythingIsStillAnswered) {
  serve("{}");
  const Fd client = connect();
  write_text(client, "set=1\nlisten_port=7");
  ::shutdown(client.get(), SHUT_WR);
  EXPECT_EQ(read_all(client), "errno=0\n\n");
  EXPECT_EQ(device_.listen_port, 7);
}

TEST_F(Control, ManyRequestsWithoutReadingOneAnswerAreHeldBack) {
  serve(std::string(1 << 20, 'x'));
  const Fd client = connect();
  const timeval patience{0, 200'000};
  setsockopt(client.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += "show=1\n\n";
  ssize_t sent = 0;
  while (sent < (16 << 20)) {
    const ssize_t count = ::send(client.get(), requests.data(), requests.size(), MSG_NOSIGNAL);
    if (count < static_cast<ssize_t>(requests.size())) break;
    sent += count;
  }
  EXPECT_LT(sent, 16 << 20) << "the server reads on without being read";
}

TEST_F(Control, ASocketThatListensAlreadyIsTakenOver) {
  ControlSocket first(path_);
  ControlSocket second(Fd(::dup(first.fd().get())));
  first.give_away();
  EXPECT_EQ(second.path(), path_);
  server_.emplace(loop_, std::move(second), device_);
  EXPECT_TRUE(is_served(path_));
  server_.reset();
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(Control, OnlyASocketThatListensCanBeTakenOver) {
  EXPECT_THROW(ControlSocket(Fd(::socket(AF_UNIX, SOCK_STREAM, 0))), std::system_error);
  EXPECT_THROW(ControlSocket(Fd(::open("/dev/null", O_RDWR))), std::system_error);
}

TEST_F(Control, TheRemovalOfItsFileIsNoticed) {
  server_.emplace(loop_, ControlSocket(path_), device_);
  bool removed = false;
  server_->on_removed([&] {
    removed = true;
    loop_.stop();
  });
  std::ofstream(directory_ / "other.sock").put('x');
  uv_run(loop_.raw(), UV_RUN_NOWAIT);
  fs::remove(directory_ / "other.sock");
  uv_run(loop_.raw(), UV_RUN_NOWAIT);
  EXPECT_FALSE(removed);
  fs::remove(path_);
  loop_.run();
  EXPECT_TRUE(removed);
}

TEST_F(Control, AFileThatTookItsPlaceIsLeftAlone) {
  {
    ControlSocket socket(path_);
    fs::remove(path_);
    std::ofstream(path_).put('x');
    EXPECT_TRUE(socket.is_removed());
  }
  EXPECT_TRUE(fs::exists(path_));
}

TEST_F(Control, AppearsOnlyOnceItListens) {
  // `wg` removes a socket that refuses it, so there must be no moment at which it would be refused.
  std::atomic<bool> done = false;
  std::atomic<int> refusals = 0;
  std::thread prober([&] {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.string().copy(address.sun_path, sizeof address.sun_path - 1);
    while (!done) {
      const Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));  // nobody accepts: a full queue must not hold it
      const int result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
      if (result < 0 && errno == ECONNREFUSED) ++refusals;
    }
  });
  std::vector<Fd> listening;  // so that ends are not refused either
  for (int i = 0; i < 200; ++i) {
    ControlSocket socket(path_);
    listening.emplace_back(::dup(socket.fd().get()));
    fs::remove(path_);
  }
  done = true;
  prober.join();
  EXPECT_EQ(refusals, 0);
}

TEST_F(Control, TheSocketGoesWithItsServer) {
  { ControlServer server(loop_, ControlSocket(path_), device_); }
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_THROW(request_show(path_), std::system_error);
}

}  // namespace
}  // namespace adit::daemon
