#include "net/udp.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "net/interface.h"
#include "net/sockaddr.h"
#include "tests/net_os/udp_lab.h"

namespace adit {
namespace {

TEST_F(UdpTest, BindTellsThePortTheKernelChose) {
  for (const Endpoint& any : {kAnyV4, kAnyV6}) {
    const UdpSocket socket = UdpSocket::bind(any);
    EXPECT_NE(socket.local().port, 0);
    EXPECT_EQ(socket.local().ip, any.ip);
    EXPECT_NE(fcntl(socket.fd(), F_GETFD) & FD_CLOEXEC, 0);
    EXPECT_NE(fcntl(socket.fd(), F_GETFL) & O_NONBLOCK, 0);
  }
}

TEST_F(UdpTest, BothVersionsCanHaveTheSamePort) {
  const UdpSocket v4 = UdpSocket::bind(at("0.0.0.0", 51820));
  const UdpSocket v6 = UdpSocket::bind(at("::", 51820));
  EXPECT_EQ(v6.local().port, v4.local().port);
}

TEST_F(UdpTest, PortInUseIsNamedInTheError) {
  const UdpSocket v4 = UdpSocket::bind(at("0.0.0.0", 34197));
  const UdpSocket v6 = UdpSocket::bind(at("::", 34197));
  EXPECT_EQ(bind_error(at("0.0.0.0", 34197)),
            "bind udp 0.0.0.0:34197: Address already in use (another program has this port)");
  EXPECT_EQ(bind_error(at("fd09::1", 34197)),
            "bind udp [fd09::1]:34197: Address already in use (another program has this port)");
}

bool wait_for_either(const UdpSocket& one, const UdpSocket& other) {
  std::array<pollfd, 2> wanted = {{{one.fd(), POLLIN, 0}, {other.fd(), POLLIN, 0}}};
  return ::poll(wanted.data(), wanted.size(), 5000) > 0;
}

TEST_F(UdpTest, SocketsBesideEachOtherShareWhatComesByWhereItComesFrom) {
  for (const char* ip : {"10.9.0.1", "fd09::1"}) {
    UdpSocket first = UdpSocket::bind(at(ip));
    UdpSocket second = first.bind_beside();
    EXPECT_EQ(second.local(), first.local());
    std::vector<Client> clients;
    for (int i = 0; i < 32; ++i) clients.emplace_back(at(ip));
    for (uint8_t round = 0; round < 4; ++round) {
      for (Client& client : clients) client.send(first.local(), {round});
    }
    Datagrams one;
    Datagrams other;
    while (one.size() + other.size() < 128 && wait_for_either(first, second)) {
      first.read(pool_, 128, one, drops_);
      second.read(pool_, 128, other, drops_);
    }
    EXPECT_EQ(one.size() + other.size(), 128u);
    EXPECT_FALSE(one.empty()) << "32 clients had one chance in four billion";
    EXPECT_FALSE(other.empty());
    for (const Datagram& mine : one) {
      EXPECT_EQ(std::ranges::count(other, mine.remote, &Datagram::remote), 0) << mine.remote.to_string();
    }
  }
}

TEST_F(UdpTest, ForeignAddressIsNamedInTheError) {
  for (const char* address : {"192.0.2.1", "2001:db8::1"}) {
    EXPECT_EQ(bind_error(at(address, 34197)), "bind udp " + at(address, 34197).to_string() + ": " +
                                                  std::generic_category().message(EADDRNOTAVAIL) +
                                                  " (the address is not on this machine)");
  }
}

TEST_F(UdpTest, DatagramsArriveWithBothTheirAddresses) {
  for (const auto& [hit, from] : {std::pair{"10.9.0.2", "10.9.0.1"}, std::pair{"fd09::2", "fd09::1"}}) {
    UdpSocket socket = UdpSocket::bind(Ip::parse(from)->is_v4() ? kAnyV4 : kAnyV6);
    Client client(at(from));
    client.send(at(hit, socket.local().port), {1, 2, 3});
    const Datagrams got = read(socket, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(payload_of(got[0]), (std::vector<uint8_t>{1, 2, 3}));
    EXPECT_EQ(got[0].remote, client.local());
    EXPECT_EQ(got[0].local, (Local{*Ip::parse(hit), if_nametoindex(test::kLoopback)}));
    EXPECT_EQ(got[0].packet.headroom(), kHeadroom);
  }
}

TEST_F(UdpTest, AnswersLeaveFromTheAddressThatWasHit) {
  UdpSocket v4 = UdpSocket::bind(kAnyV4);
  UdpSocket v6 = UdpSocket::bind(kAnyV6);
  Client client_v4(at("10.9.0.1"));
  Client client_v6(at("fd09::1"));
  for (const char* hit : {"10.9.0.2", "10.9.0.3", "127.0.0.1", "fd09::2", "fd09::3", "::1"}) {
    UdpSocket& socket = Ip::parse(hit)->is_v4() ? v4 : v6;
    Client& client = Ip::parse(hit)->is_v4() ? client_v4 : client_v6;
    const Endpoint server = at(hit, socket.local().port);
    client.send(server, {7});
    Datagrams got = read(socket, 1);
    ASSERT_EQ(got.size(), 1u);
    socket.write(got, drops_);
    const auto answer = client.receive();
    ASSERT_TRUE(answer) << hit;
    EXPECT_EQ(answer->from, server);
    EXPECT_EQ(answer->payload, std::vector<uint8_t>{7});
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(UdpTest, HundredsInOneGoKeepOrderAndContent) {
  constexpr size_t kCount = 300;
  UdpSocket sender = UdpSocket::bind(at("10.9.0.1"));
  UdpSocket receiver = UdpSocket::bind(at("10.9.0.2"));
  Datagrams sent;
  for (size_t i = 0; i < kCount; ++i) {
    std::vector<uint8_t> payload(1 + i * 4, static_cast<uint8_t>(i));
    sent.push_back(datagram(receiver.local(), payload));
  }
  sender.write(sent, drops_);
  sent.clear();

  Datagrams got;
  receiver.read(pool_, 250, got, drops_);
  EXPECT_GE(got.size(), 250u);
  EXPECT_LT(got.size(), kCount) << "a limit is a limit";
  receiver.read(pool_, 250, got, drops_);
  ASSERT_EQ(got.size(), kCount);
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(payload_of(got[i]), std::vector<uint8_t>(1 + i * 4, static_cast<uint8_t>(i)));
    ASSERT_EQ(got[i].remote, sender.local());
  }
  EXPECT_EQ(drops_.total(), 0u);
  EXPECT_EQ(pool_.available(), pool_.slots() - kCount);
}

TEST_F(UdpTest, EmptyDatagramIsADatagram) {
  UdpSocket socket = UdpSocket::bind(at("10.9.0.1"));
  Client client(at("10.9.0.2"));
  client.send(socket.local(), {});
  Datagrams got = read(socket, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].packet.size(), 0u);
  EXPECT_EQ(got[0].remote, client.local());
  socket.write(got, drops_);
  const auto answer = client.receive();
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->payload.empty());
}

TEST_F(UdpTest, DatagramLargerThanABufferIsCountedAndTheOthersKept) {
  UdpSocket socket = UdpSocket::bind(at("10.9.0.1"));
  Client client(at("10.9.0.2"));
  client.send(socket.local(), {1});
  client.send(socket.local(), std::vector<uint8_t>(kLargest + 1));
  client.send(socket.local(), std::vector<uint8_t>(kLargest));
  client.send(socket.local(), std::vector<uint8_t>(60000));
  client.send(socket.local(), {2});
  const Datagrams got = read(socket, 3);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(payload_of(got[0]), std::vector<uint8_t>{1});
  EXPECT_EQ(got[1].packet.size(), kLargest);
  EXPECT_EQ(payload_of(got[2]), std::vector<uint8_t>{2});
  EXPECT_EQ(got[2].remote, client.local());
  EXPECT_EQ(drops_[Drop::kTruncatedRead], 2u);
  EXPECT_EQ(pool_.available(), pool_.slots() - 3);
}

TEST_F(UdpTest, WithoutBuffersDatagramsAreDiscardedAndCounted) {
  UdpSocket socket = UdpSocket::bind(at("10.9.0.1"));
  Client client(at("10.9.0.2"));
  for (uint8_t i = 0; i < 100; ++i) client.send(socket.local(), {i});
  PacketPool small(40, kLargest);
  Datagrams got;
  socket.read(small, 90, got, drops_);
  ASSERT_EQ(got.size(), 40u);
  EXPECT_EQ(payload_of(got[39]), std::vector<uint8_t>{39});
  EXPECT_GE(drops_[Drop::kNoBuffer], 50u);
  socket.read(small, 90, got, drops_);
  EXPECT_EQ(drops_[Drop::kNoBuffer], 60u);
  EXPECT_FALSE(wait_readable(socket.fd(), 0)) << "the socket is empty: a loop would not spin";
}

TEST_F(UdpTest, StaleLocalAddressIsReplacedByTheKernels) {
  for (const auto& [ip, stale] : {std::pair{"10.9.0.1", "192.0.2.7"}, std::pair{"fd09::1", "2001:db8::7"}}) {
    UdpSocket socket = UdpSocket::bind(Ip::parse(ip)->is_v4() ? kAnyV4 : kAnyV6);
    Client client(at(ip));
    Datagrams sent;
    sent.push_back(datagram(client.local(), {1}));
    sent.push_back(datagram(client.local(), {2}, {*Ip::parse(stale), 1}));
    sent.push_back(datagram(client.local(), {3}, {*Ip::parse(ip), 1}));
    socket.write(sent, drops_);
    for (uint8_t expected = 1; expected <= 3; ++expected) {
      const auto got = client.receive();
      ASSERT_TRUE(got) << ip;
      EXPECT_EQ(got->payload, std::vector<uint8_t>{expected});
      EXPECT_EQ(got->from, at(ip, socket.local().port));
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(UdpTest, TheTrafficClassTravelsWithEachDatagram) {
  for (const char* ip : {"10.9.0.1", "fd09::1"}) {
    UdpSocket sender = UdpSocket::bind(Ip::parse(ip)->is_v4() ? kAnyV4 : kAnyV6);
    UdpSocket receiver = UdpSocket::bind(at(ip));
    const std::vector<uint8_t> classes = {0, 1, 2, 3, 0x88, 0, 0xff, 0x02};
    for (const Local& local : {Local{}, Local{*Ip::parse(ip), 0}}) {
      Datagrams sent;
      for (const uint8_t tos : classes) {
        sent.push_back(datagram(receiver.local(), {tos}, local));
        sent.back().tos = tos;
      }
      sender.write(sent, drops_);
      const Datagrams got = read(receiver, classes.size());
      ASSERT_EQ(got.size(), classes.size()) << ip;
      for (const Datagram& each : got) {
        EXPECT_EQ(each.tos, payload_of(each).at(0)) << ip;
        EXPECT_EQ(each.local.ip, *Ip::parse(ip));
      }
    }
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(UdpTest, AReplacedLocalAddressCostsNoTrafficClass) {
  for (const auto& [ip, stale] : {std::pair{"10.9.0.1", "192.0.2.7"}, std::pair{"fd09::1", "2001:db8::7"}}) {
    UdpSocket sender = UdpSocket::bind(Ip::parse(ip)->is_v4() ? kAnyV4 : kAnyV6);
    UdpSocket receiver = UdpSocket::bind(at(ip));
    Datagrams sent;
    sent.push_back(datagram(receiver.local(), {1}, {*Ip::parse(stale), 1}));
    sent.back().tos = 0x8a;
    sender.write(sent, drops_);
    const Datagrams got = read(receiver, 1);
    ASSERT_EQ(got.size(), 1u) << ip;
    EXPECT_EQ(got[0].tos, 0x8a);
  }
  EXPECT_EQ(drops_.total(), 0u);
}

TEST_F(UdpTest, RefusedDatagramsAreCountedAndTheOthersSent) {
  for (const char* ip : {"10.9.0.1", "fd09::1"}) {
    const bool v4 = Ip::parse(ip)->is_v4();
    UdpSocket socket = UdpSocket::bind(v4 ? kAnyV4 : kAnyV6);
    Client client(at(ip));
    const Endpoint other_version = v4 ? at("fd09::1", 9) : at("10.9.0.1", 9);
    const Endpoint no_route = v4 ? at("192.0.2.1", 9) : at("2001:db8::1", 9);
    Datagrams sent;
    sent.push_back(datagram(other_version, {0}));
    sent.push_back(datagram(client.local(), {1}));
    sent.push_back(datagram(other_version, {0}, {other_version.ip, 1}));
    sent.push_back(datagram(no_route, {0}, {*Ip::parse(ip), 1}));
    sent.push_back(datagram(client.local(), {2}, {other_version.ip, 1}));
    sent.push_back(datagram(no_route, {0}));
    const uint64_t before = drops_[Drop::kSocketError];
    socket.write(sent, drops_);
    EXPECT_EQ(drops_[Drop::kSocketError] - before, 4u) << ip;
    EXPECT_FALSE(sent[0].packet) << "a refused packet's buffer is free at once";
    for (uint8_t expected = 1; expected <= 2; ++expected) {
      const auto got = client.receive();
      ASSERT_TRUE(got) << ip;
      EXPECT_EQ(got->payload, std::vector<uint8_t>{expected});
    }
  }
}

TEST_F(UdpTest, ReadOfAnEmptySocketGivesNothing) {
  UdpSocket socket = UdpSocket::bind(kAnyV6);
  Datagrams got;
  socket.read(pool_, 10, got, drops_);
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(pool_.available(), pool_.slots());
}

}  // namespace
}  // namespace adit
