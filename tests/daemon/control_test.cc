#include "daemon/control.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fstream>
#include <future>
#include <thread>

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

/// A server in a loop that turns on a thread of its own until the test ends.
class Control : public testing::Test {
 protected:
  Control() {
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
    server_.emplace(loop_, path_, [answer] { return answer; });
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

TEST_F(Control, ASecondServerIsRefusedAndTheFirstLives) {
  serve("{}");
  Loop second;
  EXPECT_THROW(ControlServer(second, path_, [] { return ""; }), std::system_error);
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

TEST_F(Control, TheSocketGoesWithItsServer) {
  { ControlServer server(loop_, path_, [] { return ""; }); }
  EXPECT_FALSE(fs::exists(path_));
  EXPECT_THROW(request_show(path_), std::system_error);
}

}  // namespace
}  // namespace adit::daemon
