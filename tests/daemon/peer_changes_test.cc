#include "daemon/peer_changes.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/support/lone_tunnel.h"

namespace adit::daemon {
namespace {

crypto::PublicKey key(uint8_t byte) {
  crypto::PublicKey public_key;
  public_key.bytes.fill(byte);
  return public_key;
}

config::Peer peer(uint8_t byte, std::vector<const char*> allowed_ips = {}) {
  config::Peer made;
  made.public_key = key(byte);
  for (const char* prefix : allowed_ips) made.allowed_ips.push_back(*Prefix::parse(prefix));
  return made;
}

using Peers = std::vector<config::Peer>;

class PeerChanges : public testing::Test {
 protected:
  void change(const Peers& wanted) {
    change_peers(configured_, wanted, tunnel_, resolver_, Now{});
    configured_ = wanted;
  }
  tunnel::PeerStatus at(uint8_t byte) {
    for (tunnel::PeerStatus& each : tunnel_.peers()) {
      if (each.public_key == key(byte)) return each;
    }
    ADD_FAILURE() << "no such peer";
    return {};
  }
  std::string ips_of(uint8_t byte) {
    std::string all;
    for (const Prefix& prefix : at(byte).allowed_ips) all += prefix.to_string() + " ";
    return all;
  }

  Loop loop_;
  PacketPool pool_{16, 2048};
  tunnel::Tunnel tunnel_{crypto::PrivateKey(key(9).bytes), 1420, pool_};
  Resolver resolver_{loop_, [](const crypto::PublicKey&, const std::optional<Endpoint>&) {}};
  Peers configured_;
};

TEST_F(PeerChanges, PeersComeAndGo) {
  change({peer(1), peer(2)});
  change({peer(2), peer(3)});
  EXPECT_FALSE(tunnel_.has_peer(key(1)));
  EXPECT_TRUE(tunnel_.has_peer(key(2)));
  EXPECT_TRUE(tunnel_.has_peer(key(3)));
}

TEST_F(PeerChanges, PeersThatOthersHaveSetGoToo) {
  change({peer(1)});
  tunnel_.add_peer({.public_key = key(7), .preshared_key = {}, .endpoint = {}, .allowed_ips = {}}, Now{});
  change({peer(1)});
  EXPECT_FALSE(tunnel_.has_peer(key(7)));
}

TEST_F(PeerChanges, AllowedIpsBecomeWhatIsWantedAndMayChangeHands) {
  change({peer(1, {"10.0.0.0/8", "10.1.0.0/16"}), peer(2, {"fd00::/8"})});
  change({peer(1, {"10.0.0.0/8", "10.2.0.0/16"}), peer(2, {"10.1.0.0/16"})});
  EXPECT_EQ(ips_of(1), "10.0.0.0/8 10.2.0.0/16 ");
  EXPECT_EQ(ips_of(2), "10.1.0.0/16 ");
  change({peer(1, {"10.1.0.0/16"}), peer(2, {"10.0.0.0/8"})});
  EXPECT_EQ(ips_of(1), "10.1.0.0/16 ");
  EXPECT_EQ(ips_of(2), "10.0.0.0/8 ");
}

TEST_F(PeerChanges, APrefixPassesFromAPeerThatGoesToOneThatComes) {
  change({peer(1, {"10.0.0.0/8"})});
  change({peer(2, {"10.0.0.0/8"})});
  EXPECT_EQ(ips_of(2), "10.0.0.0/8 ");
}

TEST_F(PeerChanges, KeysAndKeepalivesAreSet) {
  change({peer(1)});
  Peers wanted = {peer(1)};
  wanted[0].preshared_key = crypto::PresharedKey(key(5).bytes);
  wanted[0].persistent_keepalive = 25;
  change(wanted);
  EXPECT_EQ(at(1).preshared_key, wanted[0].preshared_key);
  EXPECT_EQ(at(1).persistent_keepalive, seconds(25));
}

TEST_F(PeerChanges, ALearnedEndpointStaysUntilTheConfigurationNamesAnother) {
  Peers wanted = {peer(1)};
  wanted[0].endpoint = config::PeerEndpoint{"192.0.2.1", 342};
  change(wanted);
  const Endpoint learned = *Endpoint::parse("198.51.100.7:999");
  tunnel_.set_endpoint(key(1), learned, Now{});
  change(wanted);
  EXPECT_EQ(at(1).endpoint, learned);
  wanted[0].endpoint->port = 343;
  change(wanted);
  EXPECT_EQ(at(1).endpoint, Endpoint::parse("192.0.2.1:343"));
  wanted[0].endpoint.reset();
  change(wanted);
  EXPECT_EQ(at(1).endpoint, Endpoint::parse("192.0.2.1:343")) << "it is where it was heard of last";
}

TEST_F(PeerChanges, ANameThatIsGoneIsLookedUpNoMore) {
  std::signal(SIGPIPE, SIG_IGN);
  Peers wanted = {peer(1)};
  wanted[0].endpoint = config::PeerEndpoint{"name.invalid", 342};
  change(wanted);
  change({peer(1)});
  EXPECT_EQ(resolver_.next_deadline(), kNever);
  change(wanted);
  change({});
  EXPECT_EQ(resolver_.next_deadline(), kNever);
}

}  // namespace
}  // namespace adit::daemon
