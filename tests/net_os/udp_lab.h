// What tests of UDP sockets have in common: a namespace with addresses, and a plain socket as the other side.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "net/interface.h"
#include "net/sockaddr.h"
#include "net/udp.h"
#include "tests/support/netns.h"

namespace adit {

using test::wait_readable;

inline constexpr size_t kLargest = 2048 - kHeadroom - kTailroom;
inline const Endpoint kAnyV4{Ip::v4(0), 0};
inline const Endpoint kAnyV6{Ip(), 0};

inline Endpoint at(const char* ip, uint16_t port = 0, uint32_t scope = 0) { return {*Ip::parse(ip), port, scope}; }

/// The other side: a socket that shares no code with the one under test.
class Client {
 public:
  explicit Client(const Endpoint& local)
      : fd_(check_call("socket", ::socket(local.ip.is_v4() ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0))) {
    test::give_room(fd_.get());
    sockaddr_storage address{};
    socklen_t size = to_sockaddr(local, address);
    check_call("bind", ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size));
    check_call("getsockname", ::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size));
    local_ = from_sockaddr(address);
  }

  [[nodiscard]] const Endpoint& local() const { return local_; }

  void send(const Endpoint& to, const std::vector<uint8_t>& payload) {
    sockaddr_storage address{};
    const socklen_t size = to_sockaddr(to, address);
    check_call("sendto " + to.to_string(), ::sendto(fd_.get(), payload.data(), payload.size(), 0,
                                                    reinterpret_cast<const sockaddr*>(&address), size));
  }

  struct Received {
    Endpoint from;
    std::vector<uint8_t> payload;
  };
  /// The next datagram; empty when none comes.
  std::optional<Received> receive(int timeout_ms = 5000) {
    if (!wait_readable(fd_.get(), timeout_ms)) return {};
    std::vector<uint8_t> payload(65536);
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    payload.resize(
        static_cast<size_t>(check_call("recvfrom", ::recvfrom(fd_.get(), payload.data(), payload.size(), 0,
                                                              reinterpret_cast<sockaddr*>(&address), &size))));
    return Received{from_sockaddr(address), payload};
  }

 private:
  Fd fd_;
  Endpoint local_;
};

/// What bind() complains of.
inline std::string bind_error(const Endpoint& local) {
  try {
    UdpSocket::bind(local);
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "no error";
}

class UdpTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    for (const char* text : {"10.9.0.1", "10.9.0.2", "10.9.0.3", "fd09::1", "fd09::2", "fd09::3"}) {
      const Ip address = *Ip::parse(text);
      add_address(test::kLoopback, address, static_cast<uint8_t>(address.bits()));
      ASSERT_TRUE(test::wait_for_address(address));
    }
  }

  Datagram datagram(const Endpoint& remote, const std::vector<uint8_t>& payload, const Local& local = {}) {
    Datagram made{pool_.take(), remote, local};
    std::ranges::copy(payload, made.packet.push_back(payload.size()).begin());
    return made;
  }

  /// Reads until `count` datagrams are there or no more come.
  Datagrams read(UdpSocket& socket, size_t count) {
    Datagrams out;
    while (out.size() < count && wait_readable(socket.fd())) socket.read(pool_, count - out.size(), out, drops_);
    return out;
  }

  PacketPool pool_{512, kLargest};
  DropCounters drops_;
};

inline std::vector<uint8_t> payload_of(const Datagram& datagram) {
  const ConstBytes bytes = datagram.packet.bytes();
  return {bytes.begin(), bytes.end()};
}

}  // namespace adit
