#include "config/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "config/unreadable.h"
#include "crypto/x25519.h"
#include "tests/config/fixtures.h"

namespace adit::config {
namespace {

constexpr const char* kFactorio = R"(
[interface]
name = "wg7"
private_key_file = "wg0.key"
listen_port = 342
addresses = ["10.1.2.5/24", "fd00:1:2::5/64", "10.9.9.9"]
mtu = 1380
fwmark = "0xca6c"
table = 4711

[[peer]]
name = "home"
public_key = "r8ZfwTHhsW6ioRJ/l5o6z2pd8UqZxYYBwCg9xLc/Tn4="
preshared_key_file = "home.psk"
endpoint = "home.example:51820"
allowed_ips = ["10.1.2.2/32", "fd00:1:2::2/128", "192.168.7.9/24"]
persistent_keepalive = 25

[[peer]]
public_key = "S81WgBNXHjA76n0jJKlKa//YJR3KE/ozEby2o4oDQUs="
preshared_key = "uhXmC3fDswCiU9B0RaFom5qj0cutDbKRau4Vy41vXpI="
endpoint = "[2001:db8::1]:342"

[tables]
internet = ["0.0.0.0/0", "::/0", "!10.0.0.0/8"]

[[forward]]
name = "factorio"
protocol = "udp"
listen = ["0.0.0.0:34197", "[::]:34197"]
to = "10.1.2.2:34198"
from = "internet"
source = "snat"
idle_timeout = "3m"
max_flows = 5000
max_flows_per_source = 7

[metrics]
listen = ["127.0.0.1:9586", "[::1]:9586"]

[[forward]]
listen = "192.0.2.1:27015"
to = "[fd00:1:2::2]:27015"
from = ["198.51.100.0/24", "!198.51.100.7"]
)";

class FactorioGateway : public testing::Test {
 protected:
  FactorioGateway() {
    directory_.write("wg0.key", std::string(kPrivateKey) + "\n", 0600);
    directory_.write("home.psk", kPresharedKey, 0400);
    config_ = load(directory_.write("adit.toml", kFactorio, 0600));
  }

  TemporaryDirectory directory_;
  Config config_;
};

TEST_F(FactorioGateway, HasItsInterface) {
  const Interface& interface = config_.interface;
  EXPECT_EQ(interface.name, "wg7");
  EXPECT_EQ(crypto::public_key_of(interface.private_key).to_base64(), kOwnPublicKey);
  EXPECT_EQ(interface.listen_port, 342);
  ASSERT_EQ(interface.addresses.size(), 3u);
  EXPECT_EQ(interface.addresses[0].ip, *Ip::parse("10.1.2.5"));
  EXPECT_EQ(interface.addresses[0].prefix_length, 24);
  EXPECT_EQ(interface.addresses[1].ip, *Ip::parse("fd00:1:2::5"));
  EXPECT_EQ(interface.addresses[1].prefix_length, 64);
  EXPECT_EQ(interface.addresses[2].prefix_length, 32);
  EXPECT_EQ(interface.mtu, 1380);
  EXPECT_EQ(interface.fwmark, 0xca6cu);
  EXPECT_EQ(interface.table, 4711u);
  EXPECT_TRUE(interface.add_routes);
  EXPECT_TRUE(interface.tun);
}

TEST_F(FactorioGateway, HasItsPeers) {
  ASSERT_EQ(config_.peers.size(), 2u);
  const Peer& home = config_.peers[0];
  EXPECT_EQ(home.name, "home");
  EXPECT_EQ(home.public_key.to_base64(), kHomeKey);
  EXPECT_EQ(crypto::key_to_base64(home.preshared_key.bytes()), kPresharedKey);
  ASSERT_TRUE(home.endpoint);
  EXPECT_EQ(home.endpoint->host, "home.example");
  EXPECT_EQ(home.endpoint->port, 51820);
  const std::vector<Prefix> allowed = {*Prefix::parse("10.1.2.2/32"), *Prefix::parse("fd00:1:2::2/128"),
                                       *Prefix::parse("192.168.7.0/24")};
  EXPECT_EQ(home.allowed_ips, allowed);
  EXPECT_EQ(home.persistent_keepalive, 25);
  EXPECT_EQ(home.place.line, 11u);

  const Peer& other = config_.peers[1];
  EXPECT_EQ(other.name, "");
  EXPECT_EQ(other.public_key.to_base64(), kOtherKey);
  EXPECT_EQ(crypto::key_to_base64(other.preshared_key.bytes()), kPresharedKey);
  EXPECT_EQ(other.endpoint->host, "2001:db8::1");
  EXPECT_TRUE(other.allowed_ips.empty());
  EXPECT_EQ(other.persistent_keepalive, 0);
}

TEST_F(FactorioGateway, HasItsForwards) {
  ASSERT_EQ(config_.forwards.size(), 2u);
  const Forward& factorio = config_.forwards[0];
  EXPECT_EQ(factorio.name, "factorio");
  const Endpoint service = *Endpoint::parse("10.1.2.2:34198");
  const std::vector<Listener> listeners = {{*Endpoint::parse("0.0.0.0:34197"), service},
                                           {*Endpoint::parse("[::]:34197"), service}};
  EXPECT_EQ(factorio.listeners, listeners);
  EXPECT_EQ(factorio.listen, (std::vector<std::string>{"0.0.0.0:34197", "[::]:34197"}));
  EXPECT_EQ(factorio.to, "10.1.2.2:34198");
  ASSERT_TRUE(factorio.from);
  ASSERT_EQ(factorio.from->size(), 3u);
  EXPECT_EQ((*factorio.from)[1].prefix, *Prefix::parse("::/0"));
  EXPECT_FALSE((*factorio.from)[1].excluded);
  EXPECT_EQ((*factorio.from)[2].prefix, *Prefix::parse("10.0.0.0/8"));
  EXPECT_TRUE((*factorio.from)[2].excluded);
  EXPECT_EQ(factorio.idle_timeout, seconds(180));
  EXPECT_EQ(factorio.max_flows, 5000u);
  EXPECT_EQ(factorio.max_flows_per_source, 7u);
  EXPECT_EQ(factorio.place.line, 27u);

  const Forward& other = config_.forwards[1];
  EXPECT_EQ(other.name, "udp-27015");
  const Listener listener{*Endpoint::parse("192.0.2.1:27015"), *Endpoint::parse("[fd00:1:2::2]:27015")};
  EXPECT_EQ(other.listeners, std::vector{listener});
  ASSERT_TRUE(other.from);
  EXPECT_EQ(other.from->size(), 2u);
  EXPECT_EQ(other.max_flows, 4096u);
  EXPECT_EQ(other.max_flows_per_source, 64u);
}

/// The smallest interface with `lines` in it.
Interface interface_with(const std::string& lines) {
  return parse_text("[interface]\nprivate_key = \"" + std::string(kPrivateKey) + "\"\n" + lines).interface;
}

TEST_F(FactorioGateway, HasItsMetrics) {
  EXPECT_EQ(config_.metrics.listen, (std::vector{*Endpoint::parse("127.0.0.1:9586"), *Endpoint::parse("[::1]:9586")}));
}

TEST(Config, HasDefaultsForAllButTheKey) {
  const Interface interface = interface_with("");
  EXPECT_EQ(interface.name, "wg0");
  EXPECT_EQ(interface.listen_port, 0);
  EXPECT_TRUE(interface.addresses.empty());
  EXPECT_EQ(interface.mtu, 1420);
  EXPECT_EQ(interface.fwmark, 0u);
  EXPECT_EQ(interface.table, 0u);
  EXPECT_TRUE(interface.add_routes);
  EXPECT_TRUE(interface.tun);
}

TEST(Config, TakesAMarkAsNumberTextOrOff) {
  EXPECT_EQ(interface_with("fwmark = 51820").fwmark, 51820u);
  EXPECT_EQ(interface_with("fwmark = 0xffffffff").fwmark, 0xffffffffu);
  EXPECT_EQ(interface_with("fwmark = \"0xCA6C\"").fwmark, 0xca6cu);
  EXPECT_EQ(interface_with("fwmark = \"51820\"").fwmark, 51820u);
  EXPECT_EQ(interface_with("fwmark = \"off\"").fwmark, 0u);
}

TEST(Config, TakesATableAsWgQuickDoes) {
  EXPECT_EQ(interface_with("table = 42").table, 42u);
  EXPECT_EQ(interface_with("table = \"42\"").table, 42u);
  for (const char* main : {"table = \"auto\"", "table = \"main\""}) {
    EXPECT_EQ(interface_with(main).table, 0u);
    EXPECT_TRUE(interface_with(main).add_routes);
  }
  EXPECT_FALSE(interface_with("table = \"off\"").add_routes);
}

TEST(Config, CanDoWithoutATunDevice) { EXPECT_FALSE(interface_with("tun = false").tun); }

TEST(Config, AllowsASmallMtuWithoutIpv6) {
  EXPECT_EQ(interface_with("addresses = \"10.1.2.5/24\"\nmtu = 576").mtu, 576);
  EXPECT_EQ(interface_with("addresses = [\"fd00::1\"]\nmtu = 1280").mtu, 1280);
}

TEST(Config, ReadsAFileWithByteOrderMarkAndCarriageReturns) {
  const std::string text =
      "\xef\xbb\xbf[interface]\r\nprivate_key = \"" + std::string(kPrivateKey) + "\"\r\nmtu = 1300\r\n";
  EXPECT_EQ(parse_text(text).interface.mtu, 1300);
}

TEST(Config, ListensOnDifferentAddressesOfOnePort) {
  const Config config = parse_text("[interface]\nprivate_key = \"" + std::string(kPrivateKey) +
                                   "\"\naddresses = \"10.1.2.5/24\"\n[[peer]]\npublic_key = \"" + kHomeKey +
                                   "\"\nallowed_ips = \"10.1.2.0/24\"\n[[forward]]\nto = \"10.1.2.2:5\"\n"
                                   "listen = [\"192.0.2.1:5\", \"192.0.2.2:5\", \"[::]:5\", \"0.0.0.0:6\"]\n"
                                   "idle_timeout = 30\n");
  EXPECT_EQ(config.forwards[0].listeners.size(), 4u);
  EXPECT_EQ(config.forwards[0].idle_timeout, seconds(30));
}

TEST(Load, SaysWhichFileCannotBeRead) {
  try {
    load("/nonexistent/adit.toml");
    FAIL();
  } catch (const UnreadableError& error) {
    EXPECT_STREQ(error.what(), "read /nonexistent/adit.toml: No such file or directory");
  }
}

TEST(Load, RefusesADirectory) {
  const TemporaryDirectory directory;
  try {
    load(directory.path());
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.what(), "read " + directory.path().string() + ": Is a directory");
  }
}

TEST(Load, RefusesMoreThanOneMebibyte) {
  const TemporaryDirectory directory;
  const std::string text = "[interface]\nprivate_key = \"" + std::string(kPrivateKey) + "\"\n#";
  const auto largest = directory.write("largest.toml", text + std::string((1 << 20) - text.size(), 'x'), 0600);
  const auto larger = directory.write("larger.toml", text + std::string((1 << 20) - text.size() + 1, 'x'), 0600);
  EXPECT_EQ(load(largest).interface.name, "wg0");
  EXPECT_EQ(complaint_of([&] { load(larger); }), larger.string() + ":1:1: larger than 1 MiB: not a configuration");
}

TEST(Load, ReadsWhatIsPipedIn) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const std::string text = "[interface]\nprivate_key = \"" + std::string(kPrivateKey) + "\"\n";
  ASSERT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  close(ends[1]);
  EXPECT_EQ(load("/dev/fd/" + std::to_string(ends[0])).interface.name, "wg0");
  close(ends[0]);
}

TEST(ConfigErrors, AreOneLineEachAndKeepTheirPlaces) {
  const ConfigError error("f.toml", {{{1, 2}, "one"}, {{3, 4}, "two"}, {{}, "nowhere"}});
  EXPECT_STREQ(error.what(), "f.toml:1:2: one\nf.toml:3:4: two\nf.toml: nowhere");
  ASSERT_EQ(error.problems().size(), 3u);
  EXPECT_EQ(error.problems()[1].place.line, 3u);
}

}  // namespace
}  // namespace adit::config
