#include "net/routes.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace adit {
namespace {

TEST(Routes, LeadToThisMachineItself) {
  const auto networks = routed_networks();
  const auto holds = [](const char* address) {
    return [ip = *Ip::parse(address)](const Prefix& network) { return network.contains(ip); };
  };
  EXPECT_TRUE(std::ranges::any_of(networks, holds("127.0.0.1")));
  EXPECT_TRUE(std::ranges::none_of(networks, [](const Prefix& network) { return network.length == 0; }));
  EXPECT_EQ(source_towards(*Ip::parse("127.0.0.1")), Ip::parse("127.0.0.1"));
}

}  // namespace
}  // namespace adit
