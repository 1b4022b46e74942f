#include <gtest/gtest.h>

#include <algorithm>

#include "net/interface.h"
#include "net/netlink_linux.h"
#include "net/routes.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

using RoutesOfAMachine = test::NetnsTest;

TEST_F(RoutesOfAMachine, AreThoseOfItsInterfacesAndOfAllTables) {
  const Ip internet = *Ip::parse("198.41.0.4");
  EXPECT_EQ(source_towards(internet), std::nullopt);
  create_veth("eth0", "eth1");
  set_up("eth1");
  set_up("eth0");
  add_address("eth0", *Ip::parse("192.0.2.1"), 24);
  add_address("eth0", *Ip::parse("fd00:9::1"), 64);
  add_route("eth0", *Prefix::parse("10.5.0.0/16"), 1000);
  add_route_via(*Prefix::parse("0.0.0.0/0"), *Ip::parse("192.0.2.254"));

  const auto networks = routed_networks();
  for (const char* network : {"192.0.2.0/24", "192.0.2.1/32", "10.5.0.0/16", "fd00:9::/64"}) {
    EXPECT_TRUE(std::ranges::count(networks, *Prefix::parse(network))) << network;
  }
  EXPECT_TRUE(std::ranges::none_of(networks, [](const Prefix& network) { return network.length == 0; }));
  EXPECT_EQ(source_towards(internet), Ip::parse("192.0.2.1"));
}

}  // namespace
}  // namespace adit
