#include "daemon/tunnel_sockets.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

namespace adit::daemon {
namespace {

TEST(TunnelSockets, BothVersionsShareAPortThatTheKernelChose) {
  const std::vector<UdpSocket> sockets = bind_tunnel_sockets(0);
  ASSERT_FALSE(sockets.empty());
  EXPECT_NE(sockets.front().local().port, 0);
  EXPECT_EQ(sockets.front().local().port, sockets.back().local().port);
}

TEST(TunnelSockets, APortInUseIsNamed) {
  const std::vector<UdpSocket> first = bind_tunnel_sockets(0);
  const uint16_t port = first.front().local().port;
  try {
    bind_tunnel_sockets(port);
    FAIL() << "two programs have one port";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
    EXPECT_NE(std::string(error.what()).find(std::to_string(port)), std::string::npos) << error.what();
  }
}

TEST(TunnelSockets, EachWorkerHasOneOfEachVersionOnTheSamePort) {
  const auto all = bind_tunnel_sockets_for(3, 0);
  ASSERT_EQ(all.size(), 3u);
  for (const auto& sockets : all) {
    ASSERT_EQ(sockets.size(), all.front().size());
    for (size_t i = 0; i < sockets.size(); ++i) EXPECT_EQ(sockets[i].local(), all.front()[i].local());
  }
}

TEST(TunnelSockets, APortThatAnotherProgramSharesAmongItsWorkersIsInUse) {
  const auto others = bind_tunnel_sockets_for(2, 0);
  for (const size_t workers : {1u, 2u}) {
    try {
      bind_tunnel_sockets_for(workers, others.front().front().local().port);
      FAIL() << "two programs have one port";
    } catch (const std::system_error& error) {
      EXPECT_EQ(error.code(), std::errc::address_in_use);
    }
  }
}

TEST(TunnelSockets, OneWorkerSharesItsPortWithNobody) {
  const auto ours = bind_tunnel_sockets_for(1, 0);
  for (const UdpSocket& socket : ours.front()) {
    int shares = -1;
    socklen_t size = sizeof shares;
    ASSERT_EQ(::getsockopt(socket.fd(), SOL_SOCKET, SO_REUSEPORT, &shares, &size), 0);
    EXPECT_EQ(shares, 0);
  }
}

}  // namespace
}  // namespace adit::daemon
