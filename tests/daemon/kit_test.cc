#include "daemon/kit/kit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "config/wg_quick.h"
#include "crypto/x25519.h"
#include "daemon/kit/addresses.h"
#include "daemon/kit/qr.h"
#include "daemon/kit/write_new.h"
#include "home/home_config.h"
#include "tests/config/fixtures.h"

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

KitForward forward(const std::string& text) {
  KitForward read;
  EXPECT_EQ(read_forward_option(text, read), std::nullopt) << text;
  return read;
}

KitRequest request(const std::vector<std::string>& forwards = {"factorio:udp/34197", "tcp/80,8000-8009=9000-9010"}) {
  KitRequest request;
  request.endpoint = {"vps.example", 51820};
  request.network = *Prefix::parse("10.200.7.0/24");
  request.network6 = *Prefix::parse("fd12:3456:789a::/64");
  for (const std::string& text : forwards) request.forwards.push_back(forward(text));
  request.gateway_key = crypto::generate_private_key();
  request.home_key = crypto::generate_private_key();
  request.preshared_key = crypto::generate_preshared_key();
  return request;
}

std::string text_of(const std::vector<KitFile>& files, const std::string& path) {
  const auto found = std::ranges::find(files, path, &KitFile::path);
  return found == files.end() ? "" : found->text;
}

class Kit : public testing::Test {
 protected:
  config::Config written(const KitRequest& request) {
    write_new(directory_.path(), make_kit(request), {});
    return config::load(directory_.path() / "adit.toml");
  }

  config::TemporaryDirectory directory_;
};

TEST_F(Kit, HasAGatewayThatIsReadAsItWasAsked) {
  const KitRequest asked = request();
  const config::Config gateway = written(asked);
  EXPECT_EQ(gateway.interface.private_key, asked.gateway_key);
  EXPECT_EQ(gateway.interface.listen_port, 51820);
  ASSERT_EQ(gateway.interface.addresses.size(), 2u);
  EXPECT_EQ(gateway.interface.addresses[0], (config::InterfaceAddress{*Ip::parse("10.200.7.1"), 24}));
  ASSERT_EQ(gateway.peers.size(), 1u);
  EXPECT_EQ(gateway.peers[0].public_key, crypto::public_key_of(asked.home_key));
  EXPECT_EQ(gateway.peers[0].preshared_key, asked.preshared_key);
  ASSERT_EQ(gateway.forwards.size(), 2u);
  EXPECT_EQ(gateway.forwards[0].name, "factorio");
  EXPECT_EQ(gateway.forwards[0].listeners[1],
            (config::Listener{*Endpoint::parse("[::]:34197"), *Endpoint::parse("10.200.7.2:34197")}));
  EXPECT_EQ(gateway.forwards[1].protocol, config::Protocol::kTcp);
  EXPECT_EQ(gateway.forwards[1].listeners[1],
            (config::Listener{*Endpoint::parse("0.0.0.0:8000"), *Endpoint::parse("10.200.7.2:9001")}));
}

TEST_F(Kit, HasAHomeThatFitsItsGateway) {
  const KitRequest asked = request();
  const auto gateway = written(asked);
  const auto home = config::parse_wg_quick(text_of(make_kit(asked), "home/wg0.conf"), "wg0.conf", "wg0").config;
  EXPECT_EQ(crypto::public_key_of(home.interface.private_key), gateway.peers[0].public_key);
  ASSERT_EQ(home.peers.size(), 1u);
  EXPECT_EQ(home.peers[0].public_key, crypto::public_key_of(gateway.interface.private_key));
  EXPECT_EQ(home.peers[0].preshared_key, gateway.peers[0].preshared_key);
  EXPECT_EQ(home.peers[0].endpoint, asked.endpoint);
  EXPECT_EQ(home.peers[0].persistent_keepalive, 25);
  for (size_t i = 0; i < 2; ++i) {  // each end knows the other's addresses
    EXPECT_TRUE(gateway.peers[0].allowed_ips[i].contains(home.interface.addresses[i].ip));
    EXPECT_TRUE(home.peers[0].allowed_ips[i].contains(gateway.interface.addresses[i].ip));
  }
}

TEST_F(Kit, HasTheSameHomeForTheCompanion) {
  const auto files = make_kit(request());
  const auto conf = config::parse_wg_quick(text_of(files, "home/wg0.conf"), "wg0.conf", "wg0").config;
  std::string text = text_of(files, "home/home.toml");
  const auto companion = home::parse_home(text, "home.toml");
  ASSERT_EQ(companion.tunnels.size(), 1u);
  const home::Tunnel& tunnel = companion.tunnels[0];
  EXPECT_EQ(tunnel.private_key_file, "/usr/local/etc/wireguard/home.key");
  EXPECT_EQ(text_of(files, "home/home.key"), crypto::key_to_base64(conf.interface.private_key.bytes()) + "\n");
  EXPECT_EQ(text_of(files, "home/home.psk"), crypto::key_to_base64(conf.peers[0].preshared_key.bytes()) + "\n");
  ASSERT_EQ(tunnel.peers.size(), 1u);
  EXPECT_EQ(tunnel.peers[0].public_key, conf.peers[0].public_key);
  EXPECT_EQ(tunnel.peers[0].endpoint, conf.peers[0].endpoint);
  EXPECT_EQ(tunnel.peers[0].allowed_ips, conf.peers[0].allowed_ips);
  EXPECT_EQ(tunnel.addresses[1].value, conf.interface.addresses[1]);

  // Its example is right, too.
  for (size_t at = text.find("# [[jail]]"); at < text.size(); at = text.find("\n# ", at))
    text.erase(text.find("# ", at), 2);
  const auto with_jail = home::parse_home(text, "home.toml");
  ASSERT_EQ(with_jail.redirects.size(), 1u) << text;
  EXPECT_TRUE(with_jail.redirects[0].udp);
}

TEST_F(Kit, KeepsKeysInFilesOfTheirOwnersAlone) {
  const KitRequest asked = request();
  const auto files = make_kit(asked);
  written(asked);
  for (const KitFile& file : files) {
    const bool has_secret = file.text.find(crypto::key_to_base64(asked.gateway_key.bytes())) != std::string::npos ||
                            file.text.find(crypto::key_to_base64(asked.home_key.bytes())) != std::string::npos ||
                            file.text.find(crypto::key_to_base64(asked.preshared_key.bytes())) != std::string::npos;
    struct stat status {};
    ASSERT_EQ(stat((directory_.path() / file.path).c_str(), &status), 0);
    EXPECT_EQ((status.st_mode & 0777) == 0600, has_secret) << file.path;
  }
}

TEST_F(Kit, DoesWithoutWhatIsNotWanted) {
  KitRequest asked = request({});
  asked.preshared_key.clear();
  asked.network6.reset();
  const auto gateway = written(asked);
  EXPECT_TRUE(gateway.peers[0].preshared_key.is_zero());
  EXPECT_EQ(gateway.interface.addresses.size(), 1u);
  EXPECT_TRUE(gateway.forwards.empty());
  for (const KitFile& file : make_kit(asked)) {
    EXPECT_FALSE(file.path.ends_with(".psk"));
    EXPECT_EQ(file.text.find("fd"), std::string::npos) << file.path;
  }
}

TEST_F(Kit, IsNotMadeOfWhatDoesNotFitTogether) {
  EXPECT_NO_THROW(check_kit(request()));
  for (const std::vector<std::string>& forwards : std::vector<std::vector<std::string>>{
           {"udp/51820"}, {"udp/1-10", "udp/5"}, {"udp/1-10=1-9"}, {"tcp/1-5000"}, {"a:udp/1", "a:udp/2"}}) {
    EXPECT_THROW(check_kit(request(forwards)), config::ConfigError) << forwards.front();
  }
}

TEST_F(Kit, SaysWhatToDoNext) {
  const KitRequest asked = request();
  const std::string text = next_steps(asked, make_kit(asked), "/etc/adit", "");
  for (const char* part :
       {"  home/wg0.conf\n", "  udp 51820  (the tunnel)\n", "  udp 34197  (leads home)\n",
        "  tcp 80,8000-8009  (leads home)\n", "root@vps.example:/etc/adit/home", "sudo adit run\n"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
}

TEST_F(Kit, IsWrittenWholeOrNotAtAll) {
  std::vector<KitFile> files = make_kit(request());
  files.push_back({"wg0.key/below", 0600, ""});  // no folder
  EXPECT_THROW(write_new(directory_.path() / "new", files, {}), std::system_error);
  EXPECT_FALSE(fs::exists(directory_.path() / "new"));

  files.pop_back();
  fs::create_symlink("/nowhere", directory_.path() / "wg0.psk");
  EXPECT_EQ(already_there(directory_.path(), files), std::vector{directory_.path() / "wg0.psk"});
  EXPECT_THROW(write_new(directory_.path(), files, {}), std::system_error);
  EXPECT_FALSE(fs::exists(directory_.path() / "adit.toml"));
  EXPECT_TRUE(fs::is_symlink(directory_.path() / "wg0.psk"));
}

TEST_F(Kit, OfTheGatewayIsItsUsersAndOfHomeIsNot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give files away";
  constexpr uid_t kUser = 4321;
  write_new(directory_.path(), make_kit(request()), User{"adit", kUser, kUser});
  const auto owner = [&](const char* file) {
    struct stat found {};
    EXPECT_EQ(::stat((directory_.path() / file).c_str(), &found), 0) << file;
    return found.st_uid;
  };
  for (const char* file : {"adit.toml", "wg0.key", "wg0.psk"}) EXPECT_EQ(owner(file), kUser) << file;
  for (const char* file : {"home", "home/home.key", "home/wg0.conf"}) EXPECT_EQ(owner(file), 0u) << file;
}

TEST(ForwardOption, IsReadOrSaysWhatIsWrong) {
  EXPECT_EQ(forward("udp/34197").ports, (config::PortList{{34197, 34197}}));
  EXPECT_EQ(forward("web:tcp/80,443=8080,8443").name, "web");
  EXPECT_EQ(forward("web:tcp/80,443=8080,8443").home_ports, (config::PortList{{8080, 8080}, {8443, 8443}}));
  for (const char* wrong : {"", "udp", "34197", "udp/", "sctp/1", "udp/0", "udp/1=", "udp/1=x", "udp:1", "tcp/9-1"}) {
    KitForward read;
    EXPECT_NE(read_forward_option(wrong, read), std::nullopt) << wrong;
  }
}

TEST(TunnelAddresses, AreFreeHere) {
  uint32_t next = 0;
  const Random counting = [&] { return next++ << 8; };
  const auto first = choose_network({}, counting);
  EXPECT_EQ(first, Prefix::parse("10.128.0.0/24"));
  next = 0;
  EXPECT_EQ(choose_network({*Prefix::parse("10.128.0.0/23"), *Prefix::parse("10.128.2.9/32")}, counting),
            Prefix::parse("10.128.3.0/24"));
  const auto beside = choose_network({*Prefix::parse("10.0.0.0/8")}, counting);
  ASSERT_TRUE(beside);
  EXPECT_TRUE(Prefix::parse("172.16.0.0/12")->contains(beside->ip));
  EXPECT_EQ(choose_network({*Prefix::parse("0.0.0.0/1"), *Prefix::parse("128.0.0.0/1")}, counting), std::nullopt);
  EXPECT_TRUE(choose_network({*Prefix::parse("::/1")}, counting));

  const Prefix local = choose_network6([] { return 0x89abcdefu; });
  EXPECT_EQ(local.to_string(), "fdef:89ab:cdef::/64");
}

TEST(PublicAddresses, AreThoseThatOthersReach) {
  for (const char* text : {"203.0.113.5", "8.8.8.8", "172.32.0.1", "2001:db8::1"})
    EXPECT_TRUE(is_public(*Ip::parse(text)));
  for (const char* text : {"10.0.0.5", "172.31.9.9", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.1.1", "0.0.0.0",
                           "fd00::1", "fe80::1", "::1"}) {
    EXPECT_FALSE(is_public(*Ip::parse(text))) << text;
  }
}

/// The code's modules, true for dark, out of its lines.
std::vector<std::vector<bool>> modules_of(const std::string& code) {
  std::vector<std::vector<bool>> rows;
  const std::pair<std::string, std::pair<bool, bool>> blocks[] = {
      {"█", {false, false}}, {"▀", {false, true}}, {"▄", {true, false}}, {" ", {true, true}}};
  for (size_t at = 0; at < code.size(); ++at) {
    std::vector<bool> upper;
    std::vector<bool> lower;
    while (code[at] != '\n') {
      const auto* block = std::ranges::find_if(
          blocks, [&](const auto& each) { return code.compare(at, each.first.size(), each.first) == 0; });
      if (block == std::end(blocks)) return {};
      upper.push_back(block->second.first);
      lower.push_back(block->second.second);
      at += block->first.size();
    }
    rows.push_back(upper);
    rows.push_back(lower);
  }
  return rows;
}

TEST(QrCode, HasItsThreeCornersAndALightMargin) {
  const auto modules = modules_of(qr_code("[Interface]", false));
  ASSERT_EQ(modules.size(), 30u);  // 21, two margins, and half a line
  const std::string finder[] = {"#######", "#     #", "# ### #", "# ### #", "# ### #", "#     #", "#######"};
  for (const auto& [x, y] : {std::pair<size_t, size_t>{4, 4}, {18, 4}, {4, 18}}) {
    for (size_t row = 0; row < 7; ++row) {
      for (size_t column = 0; column < 7; ++column) {
        EXPECT_EQ(modules[y + row][x + column], finder[row][column] == '#') << x << " " << y;
      }
    }
  }
  for (size_t i = 0; i < 29; ++i) {
    for (size_t depth = 0; depth < 4; ++depth) {
      EXPECT_FALSE(modules[depth][i] || modules[i][depth] || modules[28 - depth][i] || modules[i][28 - depth]);
    }
  }
}

TEST(QrCode, SetsBothColoursWhereItIsTold) {
  const std::string plain = qr_code("x", false);
  const std::string coloured = qr_code("x", true);
  EXPECT_EQ(plain.find('\x1b'), std::string::npos);
  EXPECT_TRUE(coloured.starts_with("\x1b[38;5;231;48;5;16m"));
  EXPECT_TRUE(coloured.ends_with("\x1b[0m\n"));
  EXPECT_THROW(qr_code(std::string(3000, 'x'), false), std::runtime_error);
}

}  // namespace
}  // namespace adit::daemon
