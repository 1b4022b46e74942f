// What UDP sockets do by means of FreeBSD.
#include <sys/socket.h>
#include <sys/sysctl.h>

#include "net/ephemeral_ports.h"
#include "tests/net_os/udp_lab.h"

namespace adit {
namespace {

TEST_F(UdpTest, AMarkIsTheNumberOfARoutingTable) {
  int tables = 0;
  size_t size = sizeof tables;
  ASSERT_EQ(::sysctlbyname("net.fibs", &tables, &size, nullptr, 0), 0);
  UdpSocket socket = UdpSocket::bind(kAnyV4);
  socket.set_mark(0);
  if (tables > 1) socket.set_mark(1);
  try {
    socket.set_mark(static_cast<uint32_t>(tables));
    FAIL() << "there is no such table";
  } catch (const std::system_error& error) {
    EXPECT_NE(std::string(error.what()).find("(a mark is the number of a routing table here"), std::string::npos);
  }
}

TEST_F(UdpTest, TheInterfaceIsKnownInBothVersions) {
  for (const auto& [ours, any] : {std::pair{"10.9.0.1", kAnyV4}, std::pair{"fd09::1", kAnyV6}}) {
    UdpSocket socket = UdpSocket::bind(any);
    Client client(at(any.ip.is_v4() ? "10.9.0.2" : "fd09::2"));
    client.send(at(ours, socket.local().port), {1});
    const Datagrams got = read(socket, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].local.ip, *Ip::parse(ours));
    EXPECT_NE(got[0].local.interface, 0u);
  }
}

TEST(EphemeralPorts, FollowTheSettingOfTheKernel) {
  int first = 0;
  size_t size = sizeof first;
  ASSERT_EQ(::sysctlbyname("net.inet.ip.portrange.first", &first, &size, nullptr, 0), 0);
  EXPECT_EQ(ephemeral_ports().first, first);
}

}  // namespace
}  // namespace adit
