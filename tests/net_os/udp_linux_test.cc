// What UDP sockets do by means of Linux.
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>

#include "net/interface.h"
#include "net/netlink_linux.h"
#include "tests/net_os/udp_lab.h"

namespace adit {
namespace {

TEST_F(UdpTest, LowPortWithoutPrivilegeSaysWhatToDo) {
  EXPECT_EXIT(
      {
        test::drop_capabilities();
        std::fputs(bind_error(at("0.0.0.0", 53)).c_str(), stderr);
        _exit(0);
      },
      testing::ExitedWithCode(0),
      "bind udp 0.0.0.0:53: Permission denied .ports below 1024 need root or CAP_NET_BIND_SERVICE.");
}

TEST_F(UdpTest, ClosedPortDisturbsNothing) {
  UdpSocket socket = UdpSocket::bind(at("10.9.0.1"));
  const int on = 1;  // makes the kernel report what it otherwise keeps from an unconnected socket
  ASSERT_EQ(setsockopt(socket.fd(), IPPROTO_IP, IP_RECVERR, &on, sizeof on), 0);
  Client client(at("10.9.0.2"));
  Datagrams sent;
  sent.push_back(datagram(at("10.9.0.2", 9), {1}));
  socket.write(sent, drops_);
  client.send(socket.local(), {2});

  Datagrams got;
  socket.read(pool_, 10, got, drops_);
  ASSERT_EQ(got.size(), 1u) << "one read passes the error over";
  EXPECT_EQ(payload_of(got[0]), std::vector<uint8_t>{2});
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(UdpTest, FullSocketCountsTheRest) {
  create_veth("a", "b");
  set_up("a");
  set_up("b");
  add_address("a", *Ip::parse("10.8.0.1"), 24);
  UdpSocket socket = UdpSocket::bind(kAnyV4);
  const int small = 1;  // the kernel's least
  ASSERT_EQ(setsockopt(socket.fd(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  // Nobody has 10.8.0.2: what is sent there waits for an ARP answer, and fills the socket's buffer.
  Datagrams sent;
  for (int i = 0; i < 100; ++i) sent.push_back(datagram(at("10.8.0.2", 9), std::vector<uint8_t>(1000)));
  socket.write(sent, drops_);
  const auto taken = std::ranges::count_if(sent, [](const Datagram& each) { return bool{each.packet}; });
  EXPECT_GT(taken, 0);
  EXPECT_GT(drops_[Drop::kSocketFull], 0u);
  EXPECT_EQ(drops_[Drop::kSocketFull] + static_cast<uint64_t>(taken), 100u);
  EXPECT_EQ(drops_.total(), drops_[Drop::kSocketFull]);
}

TEST_F(UdpTest, MarkIsSetAndNeedsPrivilegeOnlyToChange) {
  UdpSocket socket = UdpSocket::bind(kAnyV4);
  socket.set_mark(51820);
  uint32_t mark = 0;
  socklen_t size = sizeof mark;
  ASSERT_EQ(getsockopt(socket.fd(), SOL_SOCKET, SO_MARK, &mark, &size), 0);
  EXPECT_EQ(mark, 51820u);
  EXPECT_EXIT(
      {
        test::drop_capabilities();
        UdpSocket other = UdpSocket::bind(at("0.0.0.0", 5555));
        other.set_mark(0);
        try {
          other.set_mark(1);
        } catch (const std::system_error& error) {
          std::fputs(error.what(), stderr);
        }
        _exit(0);
      },
      testing::ExitedWithCode(0), "^mark udp 0.0.0.0:5555: Operation not permitted$");
}

/// Whether the kernel has (or asks by ARP for) the neighbour on this interface, as it does for what it sends there.
bool looks_for(const std::string& neighbour, const std::string& interface) {
  std::ifstream file("/proc/self/net/arp");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(neighbour + " ") && line.ends_with(" " + interface)) return true;
  }
  return false;
}

/// A link to another namespace, fe80::1 on this side and fe80::2 with the client on the other, and on both sides a
/// second link with the same addresses: only the interface tells them apart.
class LinkLocalTest : public UdpTest {
 protected:
  void SetUp() override {
    UdpTest::SetUp();
    if (IsSkipped()) return;
    const Fd here = test::current_netns();
    ASSERT_EQ(test::enter_fresh_netns(), "");
    const Fd there = test::current_netns();
    test::enter_netns(here);
    for (const auto& [ours, theirs] : {std::pair{"a1", "b1"}, std::pair{"a2", "b2"}}) {
      create_veth(ours, theirs);
      move_to_namespace(theirs, there.get());
      set_up(ours);
      add_address(ours, *Ip::parse("fe80::1"), 64);
      add_address(ours, *Ip::parse("169.254.0.1"), 16);
      test::enter_netns(there);
      set_up(theirs);
      add_address(theirs, *Ip::parse("fe80::2"), 64);
      test::enter_netns(here);
    }
    test::enter_netns(there);
    client_.emplace(at("::"));
    scopes_there_ = {if_nametoindex("b1"), if_nametoindex("b2")};
    test::enter_netns(here);
  }

  std::optional<Client> client_;
  std::vector<uint32_t> scopes_there_;
};

TEST_F(LinkLocalTest, AnswersGoOutOfTheLinkTheyCameInBy) {
  UdpSocket socket = UdpSocket::bind(kAnyV6);
  for (size_t link = 0; link < 2; ++link) {
    const Endpoint server = at("fe80::1", socket.local().port, scopes_there_[link]);
    Datagrams got;
    // A fresh link may lose what is sent before its queue is up.
    for (int attempt = 0; got.empty() && attempt < 100; ++attempt) {
      client_->send(server, {static_cast<uint8_t>(link)});
      if (wait_readable(socket.fd(), 50)) socket.read(pool_, 1, got, drops_);
    }
    ASSERT_FALSE(got.empty());
    got.erase(got.begin() + 1, got.end());
    EXPECT_EQ(got[0].remote.scope, if_nametoindex(link == 0 ? "a1" : "a2"));
    EXPECT_EQ(got[0].local, (Local{*Ip::parse("fe80::1"), got[0].remote.scope}));
    socket.write(got, drops_);
    const auto answer = client_->receive();
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->from, server);
    EXPECT_EQ(answer->payload, std::vector<uint8_t>{static_cast<uint8_t>(link)});
    Datagrams repeats;
    while (wait_readable(socket.fd(), 0)) socket.read(pool_, 100, repeats, drops_);
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(LinkLocalTest, Ipv4LinkLocalAnswersGoOutOfTheLinkTheyCameInBy) {
  // Both links have 169.254.0.0/16; by the routes alone everything would leave by the first.
  UdpSocket socket = UdpSocket::bind(kAnyV4);
  const uint32_t second = if_nametoindex("a2");
  Datagrams sent;
  sent.push_back(datagram(at("169.254.0.2", 9), {1}, {*Ip::parse("169.254.0.1"), second}));
  socket.write(sent, drops_);
  EXPECT_FALSE(looks_for("169.254.0.2", "a1"));
  EXPECT_TRUE(looks_for("169.254.0.2", "a2"));
}

TEST_F(UdpTest, Ipv4DatagramsMayBeFragmented) {
  const Fd raw(check_call("socket", ::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP)));
  UdpSocket socket = UdpSocket::bind(at("10.9.0.1"));
  Datagrams sent;
  sent.push_back(datagram(socket.local(), {1}));
  socket.write(sent, drops_);
  ASSERT_TRUE(wait_readable(raw.get()));
  std::array<uint8_t, 100> packet{};
  ASSERT_GT(::recv(raw.get(), packet.data(), packet.size(), 0), 20);
  EXPECT_EQ(packet[6] & 0x40, 0) << "don't fragment";
}

}  // namespace
}  // namespace adit
