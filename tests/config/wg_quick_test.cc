#include "config/wg_quick.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/config/fixtures.h"
#include "tests/config/same_tunnel.h"

namespace adit::config {
namespace {

WgQuick read(const std::string& text) { return parse_wg_quick(text, "wg0.conf", "wg0"); }

std::string complaint(const std::string& text) {
  return complaint_of([&] { read(text); });
}

std::string toml_of(const WgQuick& file) {
  TomlWriter toml;
  write_toml(file, "wg0.conf", toml);
  return toml.str();
}

const std::string kInterface = std::string("[Interface]\nPrivateKey = ") + kPrivateKey + "\n";
const std::string kPeer = std::string("[Peer]\nPublicKey = ") + kHomeKey + "\n";

TEST(WgQuickFile, HasItsInterface) {
  const WgQuick file = read(kInterface +
                            "ListenPort = 342\nFwMark = 0xca6c\nAddress = 10.1.2.5/24, fd00:1:2::5/64\n"
                            "Address = 10.9.9.9\nMTU = 1380\nTable = 4711\n");
  const Interface& interface = file.config.interface;
  EXPECT_EQ(interface.name, "wg0");
  EXPECT_EQ(crypto::key_to_base64(interface.private_key.bytes()), kPrivateKey);
  EXPECT_EQ(interface.listen_port, 342);
  EXPECT_EQ(interface.fwmark, 0xca6cu);
  EXPECT_EQ(interface.mtu, 1380);
  EXPECT_EQ(interface.table, 4711u);
  EXPECT_TRUE(interface.add_routes);
  ASSERT_EQ(interface.addresses.size(), 3u);
  EXPECT_EQ(interface.addresses[1], (InterfaceAddress{*Ip::parse("fd00:1:2::5"), 64}));
  EXPECT_EQ(interface.addresses[2], (InterfaceAddress{*Ip::parse("10.9.9.9"), 32}));
  EXPECT_TRUE(file.leftovers.empty());
}

TEST(WgQuickFile, HasItsPeers) {
  const WgQuick file = read(kInterface + kPeer + "PresharedKey = " + kPresharedKey +
                            "\nAllowedIPs = 10.1.2.2, 192.168.7.9/24\nAllowedIPs =\nAllowedIPs = fd00:1:2::2/128\n"
                            "Endpoint = home.example:51820\nPersistentKeepalive = 25\n[Peer]\nPublicKey = " +
                            kOtherKey + "\nEndpoint = [2001:db8::1]:342\nPersistentKeepalive = off\n");
  ASSERT_EQ(file.config.peers.size(), 2u);
  const Peer& home = file.config.peers[0];
  EXPECT_EQ(home.public_key.to_base64(), kHomeKey);
  EXPECT_EQ(crypto::key_to_base64(home.preshared_key.bytes()), kPresharedKey);
  EXPECT_EQ(home.allowed_ips, (std::vector{*Prefix::parse("10.1.2.2/32"), *Prefix::parse("192.168.7.0/24"),
                                           *Prefix::parse("fd00:1:2::2/128")}));
  EXPECT_EQ(home.endpoint, (PeerEndpoint{"home.example", 51820}));
  EXPECT_EQ(home.persistent_keepalive, 25);
  EXPECT_EQ(file.config.peers[1].endpoint, (PeerEndpoint{"2001:db8::1", 342}));
  EXPECT_EQ(file.config.peers[1].persistent_keepalive, 0);
}

TEST(WgQuickFile, IsReadWhateverItsCaseBlanksAndLineEnds) {
  const WgQuick file = read(std::string("\xef\xbb\xbf \t[INTERFACE] # one\r\nprivatekey=") + kPrivateKey +
                            "#key\r\n\tADDRESS=10.1.2.5/24\t10.1.3.5/24 ,, 10.1.4.5/24\r\nTable = OFF\r\n[peer]\r\n" +
                            "PUBLICKEY   =" + kHomeKey);
  EXPECT_EQ(file.config.interface.addresses.size(), 3u);
  EXPECT_FALSE(file.config.interface.add_routes);
  EXPECT_EQ(file.config.peers.size(), 1u);
}

TEST(WgQuickFile, HasAllItsMistakesSaidAtOnce) {
  EXPECT_EQ(complaint("Address = 10.0.0.1/24\n[Interface]\nPrivateKey = abc\n  ListenPort = 65536\nListenPort = 1\n"
                      "Address = 10.0.0.1/24, 10.0.0/8\nMTU = 100\nTable = home\nFwMark = blue\nSaveConfig = yes\n"
                      "AllowedIps = ::/0\nAdress = 10.0.0.1\nwhat\n[Peer]\nAllowedIPs = 10.0.0.1/33\n"
                      "Endpoint = 2001:db8::1:51820\nPersistentKeepalive = -1\n[Pear]\nPublicKey = x\n[Peer]\n"
                      "PublicKey = x\nPresharedKey = x\n"),
            "wg0.conf:1:1: this stands in no section: [Interface] comes first\n"
            "wg0.conf:3:14: PrivateKey must be a key: 44 characters of base64, as wg writes it\n"
            "wg0.conf:4:16: ListenPort must be a number from 0 to 65535, not \"65536\"\n"
            "wg0.conf:5:1: ListenPort is given twice, first in line 4\n"
            "wg0.conf:6:24: \"10.0.0/8\" is not an address like 10.1.2.5/24 or fd00:1:2::5/64\n"
            "wg0.conf:7:7: MTU must be a number from 576 to 65455, not \"100\"\n"
            "wg0.conf:8:9: Table must be a number from 1 to 4294967295, auto or off\n"
            "wg0.conf:9:10: FwMark must be a number such as 51820 or 0xca6c, or off\n"
            "wg0.conf:10:14: SaveConfig must be true or false\n"
            "wg0.conf:11:1: unknown key \"AllowedIps\"\n"
            "wg0.conf:12:1: unknown key \"Adress\" (did you mean \"Address\"?)\n"
            "wg0.conf:13:1: this is not KEY = VALUE\n"
            "wg0.conf:14:1: [Peer] needs PublicKey\n"
            "wg0.conf:15:14: \"10.0.0.1/33\" is not a network like 10.1.2.0/24 or fd00:1:2::/64\n"
            "wg0.conf:16:12: \"2001:db8::1:51820\" is not an endpoint like host.example:51820, 192.0.2.1:51820 or "
            "[2001:db8::1]:51820\n"
            "wg0.conf:17:23: PersistentKeepalive must be a number from 0 to 65535, not \"-1\"\n"
            "wg0.conf:18:1: unknown section \"[Pear]\": there are [Interface] and [Peer]\n"
            "wg0.conf:21:13: PublicKey must be a key: 44 characters of base64, as wg writes it\n"
            "wg0.conf:22:16: PresharedKey must be a key: 44 characters of base64, as wg writes it");
  EXPECT_EQ(complaint(""), "wg0.conf:1:1: there is no [Interface] section");
}

TEST(WgQuickFile, IsJudgedAsAWholeToo) {
  EXPECT_EQ(complaint(kInterface + "Address = 10.0.0.1/24\nAddress = 10.0.0.1/8\n[Peer]\nPublicKey = " + kOwnPublicKey +
                      "\nAllowedIPs = 10.0.0.2/32\n" + kPeer + "AllowedIPs = 10.0.0.2\n" + kPeer),
            "wg0.conf:4:11: 10.0.0.1 is already an address, line 3\n"
            "wg0.conf:6:13: this is the interface's own public key, not the peer's\n"
            "wg0.conf:10:14: 10.0.0.2/32 already belongs to the peer of line 7\n"
            "wg0.conf:12:13: another peer has this public key, line 9");
}

TEST(WgQuickFile, HasNoKeyShownWhateverIsWrongWithItsLine) {
  const std::string key = kPrivateKey;
  for (const std::string& line :
       {"PrivateKey = " + key + key, "PrivateKey " + key, key, "PrivateKey = " + key.substr(2),
        "[Peer]\nPublicKey = " + key.substr(1), "[Peer]\nPresharedKey = =" + key}) {
    const std::string text = complaint("[Interface]\n" + line + "\n");
    EXPECT_NE(text, "") << line;
    for (size_t at = 0; at + 5 <= key.size(); ++at) EXPECT_EQ(text.find(key.substr(at, 5)), text.npos) << text;
  }
}

TEST(WgQuickToml, ReadsAsItIsWritten) {
  EXPECT_EQ(
      toml_of(read("# The VPS.\n\n" + kInterface +
                   "Address = 10.1.2.5/24\nListenPort = 51820\nDNS = 1.1.1.1, 9.9.9.9\n"
                   "PostUp = iptables -t nat -A PREROUTING -p udp --dport 34197 -j DNAT --to 10.1.2.2\n\n# Home.\n" +
                   kPeer + "AllowedIPs = 10.1.2.2/32 # its own\n")),
      std::string(R"(# Made of wg0.conf by adit import.
# It holds keys: it is refused while others than its owner may read it (chmod 600).
#
# What wg0.conf has beside that, and what to do instead:
#   line 7: DNS = 1.1.1.1, 9.9.9.9
#     adit leaves name servers alone: set them where this system's own are (resolvectl, resolv.conf)
#   line 8: PostUp = iptables -t nat -A PREROUTING -p udp --dport 34197 -j DNAT --to 10.1.2.2
#     a port that leads to a service behind the tunnel is a [[forward]]: listen = "0.0.0.0:PORT", to =
#     "ADDRESS:PORT"; then this line must go, as it would take the packets first

# The VPS.
[interface]
name = "wg0"
private_key = ")") +
          kPrivateKey + R"("
listen_port = 51820
addresses = ["10.1.2.5/24"]

# Home.
# its own
[[peer]]
public_key = ")" +
          kHomeKey + R"("
allowed_ips = ["10.1.2.2/32"]
)");
}

TEST(WgQuickToml, NamesEverythingThatIsNotTakenOver) {
  const std::string hooks[] = {"PreUp = one", "PostUp = two", "PreDown = three", "PostDown = four"};
  std::string text = kInterface + "DNS = 1.1.1.1\nSaveConfig = true\n";
  for (const std::string& hook : hooks) text += hook + "\n" + hook + " \"again\"\n";
  const WgQuick file = read(text);
  EXPECT_EQ(file.leftovers.size(), 10u);
  const std::string toml = toml_of(file);
  for (const std::string& hook : hooks) EXPECT_NE(toml.find(": " + hook + " \"again\"\n"), toml.npos) << hook;
  EXPECT_NE(toml.find("SaveConfig = true"), toml.npos);
  EXPECT_TRUE(read(kInterface + "SaveConfig = false\nDNS =\n").leftovers.empty());
}

TEST(WgQuickToml, SaysWhatToDoInAditsWords) {
  const std::pair<const char*, const char*> advice[] = {
      {"nft add rule ip nat prerouting udp dport 34197 dnat to 10.1.2.2", "[[forward]]"},
      {"echo 'rdr pass on em0 proto udp to port 1 -> 10.1.2.2' | pfctl -f -", "[[forward]]"},
      {"iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE", "needs no such rule"},
      {"sysctl -w net.ipv4.ip_forward=1", "nor IP forwarding"},
      {"ip rule add from 10.1.2.2 lookup 1000", "allowed_ips and table"},
      {"wg set %i private-key /etc/wireguard/%i.key", "private_key_file"},
      {"curl https://example.org/up", "ExecStartPost="},
  };
  for (const auto& [command, words] : advice) {
    const WgQuick file = read(kInterface + "PostUp = " + command + "\n");
    ASSERT_EQ(file.leftovers.size(), 1u);
    EXPECT_NE(file.leftovers[0].advice.find(words), std::string::npos) << file.leftovers[0].advice;
  }
}

TEST(WgQuickToml, NamesAFileForAKeyThatAHookSets) {
  const std::string toml = toml_of(read("[Interface]\nPostUp = wg set %i private-key /root/%i.key\n"));
  EXPECT_NE(toml.find("private_key_file = \"wg0.key\""), toml.npos);
  EXPECT_EQ(toml.find("holds keys"), toml.npos);
}

TEST(WgQuickToml, LeadsNothingIntoItselfByADefaultRoute) {
  const WgQuick file = read(kInterface + kPeer + "AllowedIPs = 10.1.2.0/24, 0.0.0.0/0\n");
  EXPECT_EQ(file.config.interface.fwmark, 51820u);
  EXPECT_EQ(file.config.interface.table, 51820u);
  ASSERT_EQ(file.leftovers.size(), 1u);
  EXPECT_EQ(file.leftovers[0].place.line, 5u);
  EXPECT_EQ(read(kInterface + "FwMark = 7\n" + kPeer + "AllowedIPs = ::/0\n").config.interface.table, 7u);
  for (const std::string table : {"Table = off\n", "Table = 9\n"}) {
    const WgQuick other = read(kInterface + table + kPeer + "AllowedIPs = ::/0\n");
    EXPECT_TRUE(other.leftovers.empty());
    EXPECT_EQ(other.config.interface.fwmark, 0u);
  }
}

TEST(WgQuickToml, HasCommentsThatMayBeAnyBytes) {
  const std::string toml = toml_of(read("# J\xc3\xbcrgen \xff \xed\xa0\x80 \x01 \xe2\x82\n" + kInterface));
  EXPECT_NE(toml.find("# J\xc3\xbcrgen \\xff \\xed\\xa0\\x80 \\x01 \\xe2\\x82\n[interface]\n"), toml.npos) << toml;
  EXPECT_NO_THROW(parse_text(toml));
}

/// Files as people write them, with every key that there is.
class Writer {
 public:
  explicit Writer(uint32_t seed) : random_(seed) {}

  std::string write() {
    line("[Interface]");
    line("PrivateKey = " + key());
    for (unsigned i = below(4); i != 0; --i)
      line("Address = " + address(i) + (chance() ? ", fd00::" + hex() + "/64" : ""));
    maybe("ListenPort = " + number(65536));
    maybe("FwMark = " + (chance() ? "0x" + hex() : chance() ? number(UINT32_MAX) : "off"));
    maybe("MTU = " + std::to_string(1280 + below(64000)));
    maybe("Table = " + (chance() ? "off" : chance() ? std::to_string(1 + below(UINT32_MAX - 1)) : "auto"));
    maybe("DNS = 1.1.1.1");
    maybe("PostUp = echo \"%i\\\" '''\"");
    for (unsigned i = below(5); i != 0; --i) write_peer(i);
    return text_;
  }

 private:
  unsigned below(unsigned limit) { return static_cast<unsigned>(random_() % limit); }
  bool chance() { return below(2) == 0; }
  std::string number(unsigned limit) { return std::to_string(below(limit)); }
  std::string hex() {
    constexpr char kDigits[] = "0123456789abcdef";
    return {kDigits[1 + below(15)], kDigits[below(16)], kDigits[below(16)]};
  }
  std::string address(unsigned i) {
    return "10." + std::to_string(i) + "." + number(256) + ".1/" + std::to_string(1 + below(32));
  }
  std::string key() {
    crypto::KeyBytes bytes;
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random_());
    return crypto::key_to_base64(bytes);
  }
  void line(const std::string& text) {
    text_ += std::string(below(3), ' ') + text + (chance() ? " # remark" : "") + (chance() ? "\r\n" : "\n");
    if (below(5) == 0) text_ += chance() ? "\n" : "# A comment.\n";
  }
  void maybe(const std::string& text) {
    if (chance()) line(text);
  }
  void write_peer(unsigned i) {
    line("[Peer]");
    line("PublicKey = " + key());
    maybe("PresharedKey = " + key());
    maybe("AllowedIPs = 172.16." + std::to_string(i) + "." + number(256) + "/30,fd01:" + std::to_string(i) + "::/64");
    maybe("AllowedIPs = 192.168." + std::to_string(i) + ".9");
    maybe("Endpoint = " + std::string(chance() ? "[2001:db8::" + hex() + "]" : "a.example") + ":" +
          std::to_string(1 + below(65535)));
    maybe("PersistentKeepalive = " + (chance() ? "off" : number(65536)));
  }

  std::mt19937 random_;
  std::string text_;
};

TEST(WgQuickToml, MeansTheSameWhateverTheFile) {
  for (uint32_t seed = 0; seed < 300; ++seed) {
    const std::string text = Writer(seed).write();
    const WgQuick file = read(text);
    const std::string toml = toml_of(file);
    ASSERT_TRUE(is_same_tunnel(file.config, parse_text(toml))) << text << "\n" << toml;
  }
}

}  // namespace
}  // namespace adit::config
