// A Relay with clients and a service around it: plain sockets of the test, on the loopback of a namespace of its own.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "daemon/relay.h"
#include "net/clock.h"
#include "net/sockaddr.h"
#include "tests/support/netns.h"

namespace adit::daemon {

class RelayLab : public test::NetnsTest {
 protected:
  static Endpoint at(const std::string& text) { return *Endpoint::parse(text); }

  /// A rule from 127.0.0.1:8000 to 127.0.0.2:9000, which sees 127.0.0.5.
  static RelayRule rule(const std::string& listen = "127.0.0.1:8000", const std::string& to = "127.0.0.2:9000") {
    RelayRule made;
    made.rule.name = listen;
    made.rule.listeners = {{at(listen), at(to)}};
    made.rule.max_flows_per_source = 100'000;
    made.rule.max_flows = 100'000;
    return made;
  }
  static RelaySettings settings(std::vector<RelayRule> rules) {
    return {.rules = std::move(rules),
            .our_v4 = Ip::parse("127.0.0.5"),
            .our_v6 = Ip::parse("::1"),
            .interface = {},
            .seed = 7};
  }
  void start(const RelayRule& only) { relay.emplace(loop, settings({only})); }

  /// Lets the loop run until the condition holds; false after ten seconds.
  template <typename Condition>
  bool until(Condition condition) {
    const Time end = read_clock().mono + seconds(10);
    while (read_clock().mono < end) {
      uv_run(loop.raw(), UV_RUN_NOWAIT);
      if (condition()) return true;
      pollfd loops{uv_backend_fd(loop.raw()), POLLIN, 0};
      ::poll(&loops, 1, 1);
    }
    return false;
  }

  static Fd connect_to(const Endpoint& to, const char* from = nullptr) {
    Fd fd(check_call("socket", ::socket(to.ip.is_v4() ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)));
    sockaddr_storage address{};
    if (from != nullptr) {
      const socklen_t size = to_sockaddr({*Ip::parse(from), 0}, address);
      check_call("bind", ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
    }
    const socklen_t size = to_sockaddr(to, address);
    check_call("connect", ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
    return fd;
  }

  /// The next connection that the service has; none after ten seconds.
  Accepted serve(const Fd& service) {
    Accepted accepted;
    EXPECT_TRUE(until([&] {
      accepted = accept_tcp(service.get());
      return static_cast<bool>(accepted.socket);
    }));
    return accepted;
  }

  /// Both ends of a relayed connection.
  struct Ends {
    Fd client, service;
  };
  Ends join(const Fd& service, const Endpoint& listen = at("127.0.0.1:8000")) {
    Fd client = connect_to(listen);
    return {std::move(client), serve(service).socket};
  }

  /// As many bytes as `size`, unless there are none for ten seconds or the connection ends.
  std::string receive(const Fd& fd, size_t size) {
    std::string all(size, '\0');
    size_t got = 0;
    EXPECT_TRUE(until([&] {
      const ssize_t count = ::recv(fd.get(), all.data() + got, size - got, MSG_DONTWAIT);
      if (count > 0) got += static_cast<size_t>(count);
      return got == size || count == 0 || (count < 0 && errno != EAGAIN);
    }));
    all.resize(got);
    return all;
  }
  static void send(const Fd& fd, const std::string& text) {
    ASSERT_EQ(::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
  }

  /// How the connection ends for who reads it.
  std::string ending(const Fd& fd) {
    std::string how = "none";
    until([&] {
      char byte;
      const ssize_t count = ::recv(fd.get(), &byte, 1, MSG_DONTWAIT);
      if (count == 0) how = "end";
      if (count > 0) how = "more";
      if (count < 0 && errno != EAGAIN) how = errno == ECONNRESET ? "reset" : "error " + std::to_string(errno);
      return how != "none";
    });
    return how;
  }

  [[nodiscard]] forward::RuleStats stats() const { return relay->stats().front(); }

  Loop loop;
  std::optional<Relay> relay;
};

}  // namespace adit::daemon
