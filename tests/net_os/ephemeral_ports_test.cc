#include "net/ephemeral_ports.h"

#include <fstream>

#include "tests/support/netns.h"

namespace adit {
namespace {

class EphemeralPortsTest : public test::NetnsTest {};

TEST_F(EphemeralPortsTest, FollowsTheSettingOfTheKernel) {
  std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "20000 20999" << std::flush;
  const EphemeralPorts range = ephemeral_ports();
  EXPECT_EQ(range.first, 20000);
  EXPECT_EQ(range.last, 20999);
}

}  // namespace
}  // namespace adit
