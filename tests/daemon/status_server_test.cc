#include "daemon/status_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <csignal>

#include "daemon/data_thread.h"
#include "daemon/status_page.h"
#include "daemon/tcp_socket.h"
#include "net/clock.h"
#include "net/sockaddr.h"
#include "tests/daemon/status_lab.h"

namespace adit::daemon {
namespace {

/// A server whose loop turns on a thread of its own.
class Server : public testing::Test {
 protected:
  Server() {
    std::signal(SIGPIPE, SIG_IGN);  // as the program does
    const Endpoint any_port = *Endpoint::parse("127.0.0.1:0");
    const Endpoint listen = local_of(listen_tcp(any_port).get());  // free a moment ago
    server_.emplace(thread_.loop(), listen, "1.2.3", [this] {
      ++taken_;
      Status status = some_status();
      status.snapshot.when = read_clock();
      return status;
    });
    thread_.start();
  }
  ~Server() override { thread_.stop(); }

  [[nodiscard]] Fd connect() const {
    Fd fd(::socket(AF_INET, SOCK_STREAM, 0));
    const timeval patience{20, 0};
    ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(server_->listen(), address);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
    return fd;
  }
  static void say(const Fd& fd, std::string_view text) {
    EXPECT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }
  /// Until it closes.
  static std::string hear(const Fd& fd) {
    std::string all;
    std::array<char, 4096> buffer;
    ssize_t count;
    while ((count = ::recv(fd.get(), buffer.data(), buffer.size(), 0)) > 0)
      all.append(buffer.data(), static_cast<size_t>(count));
    return all;
  }
  [[nodiscard]] std::string ask(std::string_view text) const {
    const Fd fd = connect();
    say(fd, text);
    return hear(fd);
  }
  static std::string request(const std::string& line, const std::string& more = "") {
    return line + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + more + "\r\n";
  }

  std::atomic<int> taken_ = 0;
  DataThread thread_;
  std::optional<StatusServer> server_;
};

size_t answers_in(const std::string& text) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find("HTTP/1.1 ", at)) != text.npos; ++at) ++count;
  return count;
}

TEST_F(Server, AnswersWithHeadersThatKeepThePageToItself) {
  for (const char* path : {"GET /", "GET /metrics", "GET /nothing"}) {
    const std::string answer = ask(request(path));
    for (const char* header : {"Content-Security-Policy: default-src 'none'; script-src 'self'",
                               "X-Content-Type-Options: nosniff", "Referrer-Policy: no-referrer",
                               "Cache-Control: no-store", "Cross-Origin-Resource-Policy: same-origin", "Date: "}) {
      EXPECT_NE(answer.find(std::string("\r\n") + header), answer.npos) << path << "\n" << answer;
    }
    EXPECT_EQ(answer.find("Access-Control"), answer.npos);
  }
}

TEST_F(Server, TellsHeadNoMoreThanHeaders) {
  const std::string answer = ask(request("HEAD /status.json"));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 ")) << answer;
  EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  EXPECT_EQ(answer.find("Content-Length: 0"), answer.npos);
}

TEST_F(Server, KnowsOneStatusForAllThatAskAtATime) {
  const Fd fd = connect();
  const Time begin = read_clock().mono;
  for (int i = 0; i < 300; ++i) EXPECT_TRUE(ask(request("GET /status.json")).starts_with("HTTP/1.1 200 "));
  const auto periods = (read_clock().mono - begin) / StatusSource::kFreshFor;
  EXPECT_LE(taken_, periods + 2);
  EXPECT_GE(taken_, 1);
}

TEST_F(Server, AnswersOneRequestAfterTheOther) {
  const std::string next = "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const std::string answers = ask(next + "HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n" + next + request("GET /"));
  EXPECT_EQ(answers_in(answers), 4u) << answers;
  EXPECT_NE(answers.find(std::string(kStatusPage.front().content)), answers.npos);
  EXPECT_EQ(ask("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n" + next).find("404"), answers.npos);
}

TEST_F(Server, RefusesBodiesAndWhatIsHiddenInThem) {
  const std::string hidden = request("GET /metrics");
  const std::string length = "Content-Length: " + std::to_string(hidden.size()) + "\r\n";
  for (const char* method : {"POST", "PUT", "DELETE", "PATCH", "OPTIONS"}) {
    const std::string answer = ask(request(std::string(method) + " /", length) + hidden);
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 405 ")) << method << answer;
    EXPECT_NE(answer.find("\r\nAllow: GET, HEAD\r\n"), answer.npos) << answer;
    EXPECT_EQ(answers_in(answer), 1u) << method;
  }
  EXPECT_LE(answers_in(ask(request("GET /", length) + hidden)), 1u);
  EXPECT_LE(answers_in(ask(request("GET /", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n" + hidden)), 1u);
}

TEST_F(Server, RefusesWhatIsNoRequestForIt) {
  const auto begins = [this](const std::string& text, const char* with) {
    const std::string answer = ask(text);
    EXPECT_TRUE(answer.starts_with(with)) << text << "\n" << answer;
  };
  begins("GET / HTTP/1.1\r\nHost: rebound.example.org\r\nConnection: close\r\n\r\n", "HTTP/1.1 421 ");
  begins("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 ");
  begins("GET / HTTP/1.0\r\n\r\n", "HTTP/1.");
  begins("GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 ");
  begins(request("GET /", "X : y\r\n"), "HTTP/1.1 400 ");
  begins("\x16\x03\x01\r\n\r\n", "HTTP/1.1 400 ");
  const std::string long_header = "X: " + std::string(2 * kHttpClientMemory, 'x') + "\r\n";
  begins(request("GET /", long_header), "HTTP/1.1 431 ");
  EXPECT_TRUE(ask(request("GET /")).starts_with("HTTP/1.1 200 "));
}

TEST_F(Server, HasSoManyClientsAtATimeAndTheNextWaits) {
  std::vector<Fd> idle;
  for (unsigned i = 0; i < kMostHttpClients; ++i) idle.push_back(connect());
  for (const Fd& fd : idle) say(fd, "GET / HTTP/1.1\r\nHost: localhost\r\n");
  const Fd late = connect();
  say(late, request("GET /"));
  pollfd readable{late.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 100), 0);
  idle.pop_back();
  EXPECT_TRUE(hear(late).starts_with("HTTP/1.1 200 "));
}

TEST_F(Server, EndsWhileAClientWaitsForTheLoop) {
  thread_.stop();
  const Fd fd = connect();
  say(fd, request("GET /status.json"));
  server_.reset();
  const std::string answer = hear(fd);
  EXPECT_TRUE(answer.empty() || answer.starts_with("HTTP/1.1 503 ")) << answer;
}

TEST_F(Server, SaysWhichAddressIsTaken) {
  const Endpoint taken = server_->listen();
  const auto none = []() -> Status { return {}; };
  try {
    Loop loop;
    const StatusServer second(loop, taken, "1.2.3", none);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(std::string(error.what()),
              "bind tcp " + taken.to_string() + ": Address already in use (another program has this port)");
  }
}

}  // namespace
}  // namespace adit::daemon
