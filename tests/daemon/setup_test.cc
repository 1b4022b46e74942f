#include "daemon/setup.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <stdexcept>

namespace adit::daemon {
namespace {

config::Config gateway() {
  config::Config config;
  config.interface.addresses = {{*Ip::parse("10.1.2.5"), 24}, {*Ip::parse("fd00:1:2::5"), 64}};
  config::Peer home;
  home.public_key.bytes.fill(7);
  home.allowed_ips = {*Prefix::parse("10.1.2.2/32"), *Prefix::parse("192.168.7.0/24")};
  home.persistent_keepalive = 25;
  config.peers.push_back(home);
  config::Forward game;
  game.name = "factorio";
  const Endpoint service = *Endpoint::parse("10.1.2.2:34197");
  game.listeners = {{*Endpoint::parse("0.0.0.0:34197"), service}, {*Endpoint::parse("[::]:34197"), service}};
  config.forwards.push_back(game);
  return config;
}

TEST(Setup, APeerKeepsWhatTheConfigurationSays) {
  config::Peer peer = gateway().peers[0];
  peer.endpoint = config::PeerEndpoint{"192.0.2.7", 342};
  const tunnel::PeerSettings settings = tunnel_peer(peer);
  EXPECT_EQ(settings.public_key, peer.public_key);
  EXPECT_EQ(settings.endpoint, Endpoint::parse("192.0.2.7:342"));
  EXPECT_EQ(settings.allowed_ips, peer.allowed_ips);
  EXPECT_EQ(settings.persistent_keepalive, seconds(25));
}

TEST(Setup, AnEndpointThatIsANameIsLeftToBeLookedUp) {
  config::Peer peer = gateway().peers[0];
  peer.endpoint = config::PeerEndpoint{"home.example", 342};
  EXPECT_EQ(tunnel_peer(peer).endpoint, std::nullopt);
  EXPECT_EQ(numeric_endpoint({"2001:db8::7", 1}), Endpoint::parse("[2001:db8::7]:1"));
}

TEST(Setup, ForwardsSeeTheFirstTunnelAddressOfEachVersion) {
  config::Config config = gateway();
  config.interface.addresses.push_back({*Ip::parse("10.9.9.9"), 32});
  const forward::Settings settings = forward_settings(config, {1024, 32767}, 5);
  EXPECT_EQ(settings.our_v4, Ip::parse("10.1.2.5"));
  EXPECT_EQ(settings.our_v6, Ip::parse("fd00:1:2::5"));
  EXPECT_EQ(settings.first_snat_port, 1024);
  EXPECT_EQ(settings.last_snat_port, 32767);
  ASSERT_EQ(settings.rules.size(), 1u);
  EXPECT_EQ(settings.rules[0].listeners.size(), 2u);
  EXPECT_EQ(settings.rules[0].from.has_value(), false);
}

TEST(Setup, TcpForwardsAreTheRelaysAndUdpForwardsTheForwarders) {
  config::Config config = gateway();
  config::Forward web = config.forwards[0];
  web.name = "web";
  web.protocol = config::Protocol::kTcp;
  web.connect_timeout = seconds(3);
  web.proxy_protocol = config::ProxyProtocol::kV2;
  web.max_new_flows_per_source = 5;
  config.forwards.insert(config.forwards.begin(), web);
  const forward::Settings forwarded = forward_settings(config, {1024, 32767}, 5);
  ASSERT_EQ(forwarded.rules.size(), 1u);
  EXPECT_EQ(forwarded.rules[0].name, "factorio");
  const RelaySettings relayed = relay_settings(config, 5);
  ASSERT_EQ(relayed.rules.size(), 1u);
  EXPECT_EQ(relayed.rules[0].rule.name, "web");
  EXPECT_EQ(relayed.rules[0].rule.listeners.size(), 2u);
  EXPECT_EQ(relayed.rules[0].rule.max_new_flows_per_source, 5u);
  EXPECT_EQ(relayed.rules[0].connect_timeout, seconds(3));
  EXPECT_EQ(relayed.rules[0].proxy_protocol, config::ProxyProtocol::kV2);
  EXPECT_EQ(relayed.our_v4, Ip::parse("10.1.2.5"));
  EXPECT_EQ(relayed.our_v6, Ip::parse("fd00:1:2::5"));
}

TEST(Setup, TheLongestPrefixOfATableDecidesWhoMayCome) {
  config::Config config = gateway();
  config.forwards[0].from = config::Table{{*Prefix::parse("0.0.0.0/0"), false},
                                          {*Prefix::parse("10.0.0.0/8"), true},
                                          {*Prefix::parse("10.7.0.0/16"), false}};
  const forward::Settings settings = forward_settings(config, {1024, 32767}, 5);
  const forward::SourceTable& table = *settings.rules[0].from;
  EXPECT_TRUE(*table.find(*Ip::parse("203.0.113.1")));
  EXPECT_FALSE(*table.find(*Ip::parse("10.1.1.1")));
  EXPECT_TRUE(*table.find(*Ip::parse("10.7.1.1")));
  EXPECT_EQ(table.find(*Ip::parse("2001:db8::1")), nullptr);
}

TEST(Setup, RoutesAreTheAllowedIpsButNoDefaultRoute) {
  config::Config config = gateway();
  config.peers[0].allowed_ips.push_back(*Prefix::parse("0.0.0.0/0"));
  config.peers.push_back(config.peers[0]);
  EXPECT_EQ(routes(config), (std::vector{*Prefix::parse("10.1.2.2/32"), *Prefix::parse("192.168.7.0/24")}));
}

struct Threads : testing::Test {
  static size_t wanted(const char* chosen) {
    ::setenv("ADIT_THREADS", chosen, 1);
    return wanted_threads();
  }
  void TearDown() override { ::unsetenv("ADIT_THREADS"); }
};

TEST_F(Threads, AreTwoForEachWorkerOrNone) {
  EXPECT_EQ(wanted("0"), 0u);
  EXPECT_EQ(wanted("2"), 2u);
  EXPECT_EQ(wanted("32"), 32u);
  EXPECT_EQ(workers_of(0), 1u);
  EXPECT_EQ(workers_of(2), 1u);
  EXPECT_EQ(workers_of(32), 16u);
}

TEST_F(Threads, ThatCannotBeAreNamed) {
  for (const char* chosen : {"", "1", "3", "34", "-2", "2 ", "two", "99999999999999999999999"}) {
    try {
      wanted(chosen);
      FAIL() << chosen;
    } catch (const std::invalid_argument& error) {
      EXPECT_EQ(error.what(), "ADIT_THREADS: an even number up to 32, not '" + std::string(chosen) + "'");
    }
  }
}

TEST_F(Threads, FollowTheProcessors) {
  EXPECT_EQ(default_threads(0), 0u) << "it is not known how many there are";
  EXPECT_EQ(default_threads(1), 0u);
  EXPECT_EQ(default_threads(2), 2u);
  EXPECT_EQ(default_threads(3), 2u);
  EXPECT_EQ(default_threads(4), 4u);
  EXPECT_EQ(default_threads(7), 6u);
  EXPECT_EQ(default_threads(16), 16u);
  EXPECT_EQ(default_threads(128), 16u);
}

}  // namespace
}  // namespace adit::daemon
