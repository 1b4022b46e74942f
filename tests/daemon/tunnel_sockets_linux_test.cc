// Kernels that lack ports or versions of IP.
#include <sys/socket.h>

#include <cstdio>
#include <fstream>

#include "daemon/tunnel_sockets.h"
#include "tests/support/netns.h"

namespace adit::daemon {
namespace {

/// A namespace whose kernel chooses among four ports only.
class FewPorts : public test::NetnsTest {
 protected:
  static constexpr uint16_t kFirst = 40000;
  static constexpr uint16_t kLast = 40003;

  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    std::ofstream range("/proc/sys/net/ipv4/ip_local_port_range");
    range << kFirst << " " << kLast << std::flush;
    ASSERT_TRUE(range);
  }

  /// Another program has these on IPv6.
  void occupy_ipv6(std::initializer_list<uint16_t> ports) {
    for (const uint16_t port : ports) others_.push_back(UdpSocket::bind({Ip(), port}));
  }

  std::vector<UdpSocket> others_;
};

TEST_F(FewPorts, OneThatIpv6DoesNotHaveIsDrawnAgain) {
  occupy_ipv6({kFirst, kFirst + 1, kLast});
  for (int i = 0; i < 20; ++i) {
    const std::vector<UdpSocket> sockets = bind_tunnel_sockets(0);
    ASSERT_EQ(sockets.size(), 2u);
    EXPECT_EQ(sockets.front().local().port, kFirst + 2);
    EXPECT_EQ(sockets.back().local().port, kFirst + 2);
  }
}

TEST_F(FewPorts, AreNotDrawnForEverWhenIpv6HasNone) {
  occupy_ipv6({kFirst, kFirst + 1, kFirst + 2, kLast});
  try {
    bind_tunnel_sockets(0);
    FAIL() << "a port was had that another program has";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::address_in_use);
  }
}

TEST_F(FewPorts, ThatWeAskForAndIpv6DoesNotHaveAreAnErrorAndNoOther) {
  occupy_ipv6({kFirst});
  EXPECT_THROW(bind_tunnel_sockets(kFirst), std::system_error);
  EXPECT_EQ(UdpSocket::bind({Ip::v4(0), kFirst}).local().port, kFirst) << "the half that was had is given back";
}

/// Binds where these families are missing, and says to stderr what was had.
[[noreturn]] void bind_without(std::initializer_list<int> families) {
  for (const int family : families) test::lose_family(family);
  try {
    for (const UdpSocket& socket : bind_tunnel_sockets(51820)) std::fputs(socket.local().to_string().c_str(), stderr);
  } catch (const std::system_error& error) {
    std::fputs(error.what(), stderr);
  }
  _exit(0);
}

struct MissingVersion : test::NetnsTest {};

TEST_F(MissingVersion, OfIpLeavesTheOther) {
  EXPECT_EXIT(bind_without({AF_INET6}), testing::ExitedWithCode(0), "^0\\.0\\.0\\.0:51820$");
  EXPECT_EXIT(bind_without({AF_INET}), testing::ExitedWithCode(0), "^\\[::\\]:51820$");
  EXPECT_EXIT(bind_without({}), testing::ExitedWithCode(0), "^0\\.0\\.0\\.0:51820\\[::\\]:51820$");
  EXPECT_EXIT(bind_without({AF_INET, AF_INET6}), testing::ExitedWithCode(0), "no IPv4, no IPv6");
}

}  // namespace
}  // namespace adit::daemon
