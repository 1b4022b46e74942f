// Configurations with mistakes and everything that is said about them, each with its place.
#include <gtest/gtest.h>

#include "config/unreadable.h"
#include "home/home.h"

namespace adit::home {
namespace {

std::string complaint_of(const std::string& text) {
  try {
    parse_home(text, "home.toml");
  } catch (const config::ConfigError& error) {
    return error.what();
  }
  return "nothing";
}

constexpr const char* kTunnel = R"([[tunnel]]
addresses = ["10.1.2.2/24", "fd00:1:2::2/64"]
listen_port = 342
[[tunnel.peer]]
public_key = "jUsa7a2uo0RjQV0ED/CyMQrUjvCzJGo3srXL+BwZcxw="
allowed_ips = ["10.1.2.5/32", "fd00:1:2::5/128"]
)";

constexpr const char* kJail = R"([[jail]]
name = "web"
path = "/jails/web"
addresses = "127.0.1.1"
)";

TEST(Mistakes, AreToldFromAFileThatCannotBeRead) {
  EXPECT_THROW(load_home("/nonexistent/home.toml"), config::UnreadableError);
}

TEST(Mistakes, InOneFileAreSaidAllAtOnce) {
  EXPECT_EQ(complaint_of(R"([[jail]]
name = "web"
path = "/jails/web"
addresses = ["127.0.1.1"]
[[jail]]
name = "web"
path = "/jails/we b"
adresses = "127.0.1.2"
addresses = "127.0.1.1"
[[redirect]]
ports = 80
jail = "wbe"
)"),
            "home.toml:5:1: a jail \"web\" is already in line 1\n"
            "home.toml:7:8: path must be a directory like \"/jails/web\", of letters, digits and _ . -, not "
            "\"/jails/we b\"\n"
            "home.toml:8:1: unknown key \"adresses\" (did you mean \"addresses\"?)\n"
            "home.toml:9:13: the address 127.0.1.1 is already in line 4\n"
            "home.toml:12:8: there is no [[jail]] \"wbe\" (did you mean \"web\"?)");
}

TEST(Mistakes, OfTextsThatWouldEndAQuotationNameThePlace) {
  EXPECT_EQ(complaint_of("egress = \"em0\\\" all\\npass quick\"\n"),
            "home.toml:1:10: egress must be an interface's name, or a group's like \"egress\", not \"em0\" "
            "all\\x0apass quick\"");
  const std::string jail = "[[jail]]\naddresses = \"127.0.1.1\"\n";
  EXPECT_EQ(complaint_of(jail + "name = \"a;b\"\npath = \"/a\""),
            "home.toml:3:8: name must be a letter, then at most 30 letters, digits, _ or -, not \"a;b\"");
  EXPECT_EQ(
      complaint_of(jail + "name = \"a\"\npath = \"/$(id)\""),
      "home.toml:4:8: path must be a directory like \"/jails/web\", of letters, digits and _ . -, not \"/$(id)\"");
  EXPECT_EQ(complaint_of(jail + "name = \"a\"\npath = \"/a\"\nstop = \"a\\nb\""),
            "home.toml:5:8: stop must be 1 to 1000 printable ASCII characters, not \"a\\x0ab\"");
  EXPECT_EQ(complaint_of(jail + "name = \"a\"\npath = \"/a\"\n[jail.rc]\nx = \"$(id)\"\n\"y;z\" = \"\""),
            "home.toml:6:5: x must be text in quotes, without \" \\ $ ` in it\n"
            "home.toml:7:1: \"y;z\" is not a variable of rc.conf");
}

TEST(Mistakes, OfPortsThatTwoWouldHave) {
  EXPECT_EQ(complaint_of(std::string("[host]\nprivate_tcp = \"22,80\"\n") + kTunnel + kJail +
                         "[[redirect]]\nports = \"300-400\"\njail = \"web\"\n"
                         "[[redirect]]\nname = \"again\"\nprotocol = \"both\"\nports = \"400,80\"\njail = \"web\"\n"),
            "home.toml:13:1: udp port 342 on the egress: a redirect has it, but so has tunnel \"wg0\", line 5\n"
            "home.toml:16:1: tcp port 80 on the egress: redirect \"again\" has it, but so has [host], line 1\n"
            "home.toml:16:1: tcp port 80 on the tunnel: redirect \"again\" has it, but so has [host], line 1\n"
            "home.toml:16:1: udp port 400 on the egress: redirect \"again\" has it, but so has a redirect, line 13\n"
            "home.toml:16:1: udp port 400 on the tunnel: redirect \"again\" has it, but so has a redirect, line 13");
}

TEST(Mistakes, OfPortsAreNoneWhenProtocolSideOrVersionDiffers) {
  EXPECT_EQ(complaint_of(std::string(kTunnel) + kJail +
                         "[[jail]]\nname = \"six\"\npath = \"/six\"\naddresses = \"fd00::6\"\n"
                         "[[redirect]]\nports = 80\njail = \"web\"\non = \"egress\"\nfamily = \"inet\"\n"
                         "[[redirect]]\nports = 80\njail = \"web\"\non = \"tunnel\"\n"
                         "[[redirect]]\nports = 80\njail = \"six\"\non = \"egress\"\nfamily = \"inet6\"\n"
                         "[[redirect]]\nports = 80\njail = \"web\"\nprotocol = \"tcp\"\n"),
            "nothing");
}

TEST(Mistakes, OfKeptSourcesWithoutTheirWayBack) {
  const std::string redirect = "[[redirect]]\nports = 80\njail = \"web\"\nsource = \"keep\"\n";
  EXPECT_EQ(complaint_of(std::string(kTunnel) + kJail + redirect),
            "home.toml:11:1: source = \"keep\" needs the tunnel to name its other end for answers: an IPv4 address as "
            "gateway, line 1\n"
            "home.toml:11:1: source = \"keep\" needs 0.0.0.0/0 among the allowed_ips of the tunnel's peer, line 1");
  EXPECT_EQ(complaint_of(kJail + redirect),
            "home.toml:5:1: source = \"keep\" is about answers into a tunnel, through which this does not come");
  std::string right = std::string(kTunnel) + kJail + redirect;
  right.replace(right.find("allowed_ips = ["), 15, "allowed_ips = [\"0.0.0.0/0\", ");
  right.replace(right.find("listen_port"), 0, "gateway = \"10.1.2.5\"\n");
  EXPECT_EQ(complaint_of(right), "nothing");
}

TEST(Mistakes, OfAJailWithoutTheVersionThatIsRedirectedToIt) {
  EXPECT_EQ(complaint_of(std::string(kJail) + "[[redirect]]\nports = 80\njail = \"web\"\nfamily = \"both\"\n"),
            "home.toml:5:1: jail \"web\" has no IPv6 address, line 1");
}

TEST(Mistakes, OfNetworksThatOverlap) {
  EXPECT_EQ(complaint_of(std::string(kTunnel) + R"([[bridge]]
name = "one"
addresses = "10.1.0.1/16"
[[bridge]]
name = "two"
addresses = "10.2.0.1/16"
[[jail]]
name = "a"
kind = "vnet"
path = "/a"
default_router = "10.9.0.1"
[[jail.interface]]
bridge = "two"
addresses = "10.3.0.2/16"
[[jail.interface]]
bridge = "three"
)"),
            "home.toml:9:13: 10.1.0.0/16 of \"one\" overlaps with 10.1.2.0/24 of \"wg0\", line 2\n"
            "home.toml:17:18: default_router 10.9.0.1 is in no network of the jail's interfaces\n"
            "home.toml:20:13: 10.3.0.2 is in no network of the bridge \"two\", line 10\n"
            "home.toml:21:1: there is no [[bridge]] \"three\"");
}

TEST(Mistakes, OfInterfacesThatCannotBe) {
  EXPECT_EQ(complaint_of(R"([[bridge]]
name = "e0a_web"
[[bridge]]
name = "sixteen_letters_"
[[jail]]
name = "web"
kind = "vnet"
path = "/web"
jib = "em0"
[[jail.interface]]
bridge = "e0a_web"
[[jail]]
name = "twelve_lette"
kind = "vnet"
path = "/b"
[[jail.interface]]
bridge = "e0a_web"
[[jail]]
name = "c"
path = "/c"
addresses = "127.0.0.9"
interface = "em0"
)"),
            "home.toml:4:8: name must be a letter, then at most 14 letters, digits or _, not \"sixteen_letters_\"\n"
            "home.toml:10:1: an interface \"e0a_web\" is already in line 1\n"
            "home.toml:10:1: jib joins the bridge \"em0bridge\" of \"em0\", not \"e0a_web\"\n"
            "home.toml:13:8: name must be at most 11 letters, digits or _ for kind = \"vnet\": it becomes part of an "
            "interface's name\n"
            "home.toml:18:1: interface must be a loopback interface like \"lo1\", not \"em0\"");
}

TEST(Mistakes, OfJailsThatWouldRunTheMachinesOwnFiles) {
  EXPECT_EQ(
      complaint_of("[[jail]]\nname = \"a\"\npath = \"/\"\naddresses = \"127.0.0.2\"\ndevfs = true\nlinux = true\n"),
      "home.toml:1:1: devfs would cover the machine's own /dev: leave out devfs = true with path = \"/\"\n"
      "home.toml:1:1: the machine's own /etc/rc must not run in a jail: path = \"/\" needs start, which may be []\n"
      "home.toml:1:1: linux needs a path of its own");
}

TEST(Mistakes, OfTunnels) {
  EXPECT_EQ(
      complaint_of("[[tunnel]]\njail = \"web\"\nprivate_key_file = \"a b\"\n" + std::string(kJail)),
      "home.toml:1:1: [[tunnel]] needs a [[tunnel.peer]]\n"
      "home.toml:1:1: a tunnel in jail \"web\" needs kind = \"vnet\", line 4\n"
      "home.toml:3:20: private_key_file must be a file's path of letters, digits and _ . - /; without a / in front, "
      "it is beside the tunnel's configuration, not \"a b\"");
  EXPECT_EQ(complaint_of("[[tunnel]]\n[[tunnel.peer]]\npublic_key = \"secret?\"\n"),
            "home.toml:3:14: public_key must be a key: 44 characters of base64, as wg and adit write it");
}

TEST(Mistakes, OfTwoThatWouldHaveOneFile) {
  EXPECT_EQ(
      complaint_of(std::string(kJail) + "[[jail]]\nname = \"b\"\npath = \"/jails/web\"\naddresses = \"127.0.1.2\"\n"),
      "home.toml:5:1: the path /jails/web is already in line 1");
}

TEST(Mistakes, OfRedirectsPorts) {
  const std::string redirect = std::string(kJail) + "[[redirect]]\njail = \"web\"\n";
  EXPECT_EQ(complaint_of(redirect), "home.toml:5:1: [[redirect]] needs ports, such as 80 or \"21,80,8000-8010\"");
  EXPECT_EQ(complaint_of(redirect + "ports = 0"),
            "home.toml:7:9: ports: \"0\" is not a port: they are from 1 to 65535");
  EXPECT_EQ(complaint_of(redirect + "ports = \"80,70-90\""), "home.toml:7:9: ports: port 80 is listed twice");
  EXPECT_EQ(complaint_of(redirect + "ports = \"80,90\"\ninside_port = 8"),
            "home.toml:8:15: inside_port is for one port or one range: write a [[redirect]] for each");
  EXPECT_EQ(complaint_of(redirect + "ports = \"80-90\"\ninside_port = 65530"),
            "home.toml:8:15: inside_port leaves no room for the 11 ports of the range");
}

}  // namespace
}  // namespace adit::home
