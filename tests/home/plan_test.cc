// What single keys of a configuration lead to.
#include <gtest/gtest.h>

#include <cstdio>

#include "home/home.h"
#include "home/pf.h"
#include "home/rc.h"
#include "tests/home/plan_checks.h"

namespace adit::home {
namespace {

HomeConfig config_of(const std::string& text) { return parse_home(text, "home.toml"); }

std::string file_of(const Plan& plan, const std::string& path) {
  for (const OwnFile& file : plan.files) {
    if (file.path == path) return file.text;
  }
  return "no such file";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// What sh makes of lines of rc.conf and a command after them.
std::string said_by_sh(const std::string& script) {
  FILE* const pipe = popen(("sh -c '" + script + "'").c_str(), "r");
  if (pipe == nullptr) return "no sh";
  std::string said;
  for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe)) said += static_cast<char>(c);
  pclose(pipe);
  return said;
}

constexpr const char* kJail =
    "[[jail]]\nname = \"web\"\npath = \"/web\"\naddresses = [\"127.0.1.1\", \"fd00:1:3::1\"]\n";
constexpr const char* kKeep = R"(
[[redirect]]
ports = "80,90-91"
jail = "web"
source = "keep"
from = "internet"
[[tunnel]]
addresses = ["10.1.2.2/24", "fd00:1:2::2/64"]
gateway = ["10.1.2.5", "fd00:1:2::5"]
[[tunnel.peer]]
public_key = "jUsa7a2uo0RjQV0ED/CyMQrUjvCzJGo3srXL+BwZcxw="
allowed_ips = ["0.0.0.0/0", "::/0", "10.7.0.0/16"]
preshared_key_file = "home.psk"
)";

TEST(KeptSources, AreAnsweredIntoTheTunnelTheyCameBy) {
  const HomeConfig config = config_of(std::string(kJail) + kKeep);
  const std::string rules = pf_jail_rules(config, config.jails[0]);
  EXPECT_TRUE(holds(rules,
                    "\npass in on \"wg0\" reply-to (\"wg0\" 10.1.2.5) inet proto udp from <internet> to 127.0.1.1 "
                    "port { 80, 90:91 }\n"));
  EXPECT_TRUE(holds(rules,
                    "\npass in on \"wg0\" reply-to (\"wg0\" fd00:1:2::5) inet6 proto udp from <internet> to "
                    "fd00:1:3::1 port { 80, 90:91 }\n"));
  EXPECT_TRUE(holds(rules, "\nrdr on \"wg0\" inet proto")) << "rdr pass would leave out reply-to";
  EXPECT_TRUE(holds(rules, "\nrdr pass on \"egress\" inet proto"));
  EXPECT_TRUE(holds(rules, "table <internet> const {")) << "a table is its anchor's alone";
  EXPECT_EQ(flushes_of(config, config.jails[0]), (std::vector<std::string>{"nat", "rules", "Tables"}));
}

TEST(KeptSources, LeaveTheMachineItsDefaultRoute) {
  const std::string conf = file_of(plan(config_of(std::string(kJail) + kKeep)), "/usr/local/etc/wireguard/wg0.conf");
  EXPECT_TRUE(holds(conf, "Table = off\n"));
  EXPECT_TRUE(holds(conf, "PostUp = route -q -n add -inet 10.7.0.0/16 -interface %i\n"));
  EXPECT_FALSE(holds(conf, "route -q -n add -inet 0.0.0.0/0"));
  EXPECT_TRUE(holds(conf, "preshared-key /usr/local/etc/wireguard/home.psk\n"));
}

TEST(InsidePorts, OfARangeKeepItsOrder) {
  const HomeConfig config =
      config_of(std::string(kJail) +
                "[[redirect]]\nports = \"8000-8010\"\ninside_port = 9000\njail = \"web\"\nfamily = "
                "\"inet\"\nprotocol = \"both\"\n");
  EXPECT_TRUE(holds(pf_jail_rules(config, config.jails[0]),
                    "inet proto { tcp, udp } from any to (\"egress\") port 8000:8010 -> 127.0.1.1 port 9000:*\n"));
  EXPECT_FALSE(holds(pf_jail_rules(config, config.jails[0]), "inet6"));
}

TEST(Firewalls, OfOthersAreNotBlockedByOurs) {
  EXPECT_TRUE(holds(pf_home_rules(config_of("[host]\nprivate_tcp = 22\n")), "\nblock return log\n"));
  EXPECT_FALSE(holds(pf_home_rules(config_of("[host]\nprivate_tcp = 22\nblock = false\n")), "block"));
  EXPECT_FALSE(holds(pf_home_rules(config_of(kJail)), "block"));
}

TEST(Firewalls, AreNotTouchedWithoutNeed) {
  const Plan made =
      plan(config_of("[[jail]]\nname = \"web\"\npath = \"/web\"\naddresses = \"127.0.1.1\"\nnat = \"none\"\n"));
  EXPECT_FALSE(holds(text_of(made), "pf"));
}

TEST(Networks, OfSixAreForwardedOnlyWhereThereIsOne) {
  const std::string bridge = "[[bridge]]\nname = \"b0\"\naddresses = ";
  EXPECT_FALSE(holds(rc_conf_text(config_of(bridge + "\"10.0.0.1/24\"\n")), "ipv6_gateway_enable"));
  EXPECT_TRUE(holds(rc_conf_text(config_of(bridge + "\"fd00::1/64\"\n")), "ipv6_gateway_enable=\"YES\""));
  EXPECT_FALSE(holds(rc_conf_text(config_of(kJail)), "gateway_enable"));
}

TEST(ListsOfRcConf, KeepWhatWasInThem) {
  const std::string text = rc_conf_text(config_of(kJail));
  EXPECT_EQ(
      said_by_sh("cloned_interfaces=gif0\njail_list=\"one two\"\n" + text + "echo $cloned_interfaces, $jail_list"),
      "gif0 lo1, one two web\n");
}

TEST(ListsOfRcConf, ThatAreEmptyStillMeanAllJailsOfJailConf) {
  std::string text = rc_conf_text(config_of(kJail));
  const std::string jail_conf = "/etc/jail.conf ]";
  const size_t at = text.find(jail_conf);
  ASSERT_NE(at, text.npos);
  std::string there = text;
  there.replace(at, jail_conf.size(), "/ ]");
  EXPECT_EQ(said_by_sh(there + "echo [$jail_list]"), "[]\n");
  text.replace(at, jail_conf.size(), "/nonexistent/jail.conf ]");
  EXPECT_EQ(said_by_sh(text + "echo [$jail_list]"), "[ web]\n");
}

TEST(VnetJails, ThatRunNoRcGetTheirAddressesFromJailConf) {
  const std::string jail = R"([[bridge]]
name = "b0"
[[jail]]
name = "v"
kind = "vnet"
path = "/"
gateway = true
default_router = "10.0.0.1"
start = []
[[jail.interface]]
bridge = "b0"
addresses = "10.0.0.2/24"
[[tunnel]]
via = "adit"
jail = "v"
[[tunnel.peer]]
public_key = "jUsa7a2uo0RjQV0ED/CyMQrUjvCzJGo3srXL+BwZcxw="
)";
  const Plan made = plan(config_of(jail));
  const std::string conf = file_of(made, "/etc/jail.conf.d/v.conf");
  for (const char* part : {"ifconfig e0b_v inet 10.0.0.2/24 alias up", "sysctl net.inet.ip.forwarding=1",
                           "route -n add -inet default 10.0.0.1", "adit run -c /usr/local/etc/adit/v.toml"}) {
    EXPECT_TRUE(holds(conf, part)) << part;
  }
  EXPECT_FALSE(holds(conf, "/etc/rc\""));
  EXPECT_FALSE(holds(conf, "mount.devfs"));
  for (const OwnBlock& block : made.blocks) EXPECT_FALSE(holds(block.text, "e0b_v")) << "the machine's own rc.conf";
}

}  // namespace
}  // namespace adit::home
