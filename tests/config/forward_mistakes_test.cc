// Every mistake in forwards.
#include "tests/config/mistakes.h"

namespace adit::config {
namespace {

TEST(ForwardMistakes, InItsWords) {
  expect_in_forward("^lissen = 1", "unknown key \"lissen\" (did you mean \"listen\"?)");
  expect_in_forward("^max-src-states = 1", "unknown key \"max-src-states\"");
  expect_in_forward("protocol = ^\"sctp\"", "protocol must be \"udp\" or \"tcp\", not \"sctp\"");
  expect_in_forward("protocol = ^17", "protocol must be text in quotes");
  expect_in_forward("source = ^\"nat\"", "source must be \"snat\" or \"keep\", not \"nat\"");
  expect_in_forward("protocol = \"tcp\"\nproxy_protocol = ^\"v3\"",
                    "proxy_protocol must be \"v1\" or \"v2\", not \"v3\"");
  expect_in_forward("name = ^\"\"", "name must be 1 to 63 bytes without control characters");
}

TEST(ForwardMistakes, InWhatOnlyTheOtherProtocolHas) {
  expect_in_forward("proxy_protocol = ^\"v2\"", "proxy_protocol is for tcp only, and this forward is udp");
  expect_in_forward("connect_timeout = ^5", "connect_timeout is for tcp only, and this forward is udp");
  expect_in_forward("protocol = \"tcp\"\nunanswered_timeout = ^5",
                    "unanswered_timeout is for udp only, and this forward is tcp");
  expect_in_forward("protocol = \"tcp\"\nsource = ^\"keep\"",
                    "source = \"keep\" is for udp only: a tcp service can be told the client's address by a header, "
                    "proxy_protocol = \"v2\"");
  std::string no_tun = std::string(kGateway) + "[[forward]]\nlisten = \"0.0.0.0:5\"\nto = \"10.1.2.2\"\n";
  no_tun.insert(no_tun.find("listen_port"), "tun = false\n");
  expect_complaints({no_tun + "protocol = ^\"tcp\"",
                     {"tcp needs the kernel's interface to reach its service: leave out tun = false in [interface]"}});
}

TEST(ForwardMistakes, InTimes) {
  const std::string udp = "idle_timeout must be from \"1s\" to \"24h\", like \"90s\", \"2m\" or 90";
  for (const char* value : {"0", "-5", "\"0s\"", "\"25h\"", "86401", "\"3 m\"", "1.5", "true"}) {
    expect_in_forward("idle_timeout = ^" + std::string(value), udp);
  }
  const std::string end = ", like \"90s\", \"2m\" or 90";
  expect_in_forward("protocol = \"tcp\"\nidle_timeout = ^\"169h\"",
                    "idle_timeout must be from \"1s\" to \"168h\"" + end);
  expect_in_forward("protocol = \"tcp\"\nconnect_timeout = ^121",
                    "connect_timeout must be from \"1s\" to \"2m\"" + end);
  expect_in_forward("unanswered_timeout = ^0", "unanswered_timeout must be from \"1s\" to \"24h\"" + end);
  expect_in_forward("idle_timeout = \"1m\"\nunanswered_timeout = ^\"61s\"",
                    "unanswered_timeout must not be longer than idle_timeout, which is 60s");
  expect_in_forward("unanswered_timeout = ^181",
                    "unanswered_timeout must not be longer than idle_timeout, which is 180s");
}

TEST(ForwardMistakes, InNumbers) {
  expect_in_forward("max_flows = ^0", "max_flows must be an integer from 1 to 262144");
  expect_in_forward("max_flows = ^262145", "max_flows must be an integer from 1 to 262144");
  expect_in_forward("protocol = \"tcp\"\nmax_flows = ^65537", "max_flows must be an integer from 1 to 65536");
  expect_in_forward("max_flows_per_source = ^0", "max_flows_per_source must be an integer from 1 to 4096");
  expect_in_forward("max_flows = 9\nmax_flows_per_source = ^10", "max_flows_per_source must be an integer from 1 to 9");
  expect_in_forward("max_new_flows_per_source = ^-1", "max_new_flows_per_source must be an integer from 0 to 10000");
  expect_in_forward("max_new_flows_per_source = ^10001", "max_new_flows_per_source must be an integer from 0 to 10000");
}

TEST(ForwardMistakes, InListen) {
  const std::string form =
      " is not an address with ports like \"0.0.0.0:34197\", \"[::]:34197\" or \"0.0.0.0:21,80,8000-8010\"";
  for (const char* value : {":34197", "34197", "*:34197", "host:34197", ":::34197", "0.0.0.0", "", "[::]", "[::]34197",
                            "[::", "[0.0.0.0]:5", "80-90"}) {
    expect_in_forward("listen = ^" + in_quotes(value), in_quotes(value) + form);
  }
  expect_in_forward("listen = [^\"224.0.0.1:5\"]",
                    "\"224.0.0.1:5\" is a multicast address, which nobody can be answered from");
  expect_complaints({std::string(kGateway) + "^[[forward]]\nto = \"10.1.2.2:1\"",
                     {"[[forward]] needs listen, such as \"0.0.0.0:34197\""}});
  expect_complaints({std::string(kGateway) + "^[[forward]]\nlisten = []\nto = \"10.1.2.2:1\"",
                     {"[[forward]] needs listen, such as \"0.0.0.0:34197\""}});
}

/// Listened on in both IP versions, `fault` is what is said about `ports`.
void expect_in_ports(const std::string& ports, const std::string& fault) {
  for (const std::string address : {"0.0.0.0:", "[::]:"}) {
    const std::string text = in_quotes((address + ports).c_str());
    expect_in_forward("listen = [^" + text + "]", text + ": " + fault);
  }
}

TEST(ForwardMistakes, InPorts) {
  const std::string form = " is not a port or a range of ports like 27015-27030";
  expect_in_ports("", "\"\"" + form);
  expect_in_ports("80,", "\"\"" + form);
  expect_in_ports("80,,443", "\"\"" + form);
  expect_in_ports("80-", "\"80-\"" + form);
  expect_in_ports("-80", "\"-80\"" + form);
  expect_in_ports("21,http", "\"http\"" + form);
  expect_in_ports("27015:27030", "\"27015:27030\"" + form);  // as pf writes it
  expect_in_ports("{21 80}", "\"{21 80}\"" + form);
  expect_in_ports("1-2-3", "\"1-2-3\"" + form);
  expect_in_ports("0", "\"0\" is not a port: they are from 1 to 65535");
  expect_in_ports("1-65536", "\"65536\" is not a port: they are from 1 to 65535");
  expect_in_ports("99999999999999999999", "\"99999999999999999999\" is not a port: they are from 1 to 65535");
  expect_in_ports("443,90-80", "\"90-80\" runs backwards: a range begins with its smaller port");
  expect_in_ports("80,443,80", "port 80 is listed twice");
  expect_in_ports("100-200,50,10-1000", "port 50 is listed twice");
}

TEST(ForwardMistakes, InTooManyPorts) {
  const std::string limit = ", at most 4096 are possible: each takes a socket";
  expect_in_forward("listen = ^\"0.0.0.0:30000-34096\"", "all forwards together listen on 4097 ports" + limit);
  expect_in_forward("listen = [\"0.0.0.0:1000-3999\", \"[::]:1000-1999\", ^\"192.0.2.1:5000-5999\", \"[::]:9\"]",
                    "all forwards together listen on 5001 ports" + limit);
  const std::string two = std::string(kGateway) +
                          "[[forward]]\nto = \"10.1.2.2\"\nlisten = \"0.0.0.0:1000-3999\"\n"
                          "[[forward]]\nto = \"10.1.2.2\"\nlisten = ^\"[::]:1-65535\"\nprotocol = \"tcp\"\n";
  expect_complaints({two, {"all forwards together listen on 68535 ports" + limit}});
}

TEST(ForwardMistakes, InTo) {
  const std::string form =
      " is not the address of a service, like \"10.1.2.2:34197\", \"[fd00:1:2::2]:34197\" or, for the ports that are "
      "listened on, \"10.1.2.2\" (a name will not do)";
  for (const char* value : {"home:34197", "", "0.0.0.0:5", "0.0.0.0", "224.0.0.1:5", ":5", "[10.1.2.2]", "[::]"}) {
    expect_in_forward("to = ^" + in_quotes(value), in_quotes(value) + form);
  }
  expect_in_forward("to = ^\"fd00:1:2::2\"", "\"fd00:1:2::2\" needs brackets: \"[fd00:1:2::2]\"");
  expect_in_forward("to = ^\"10.1.2.2:0\"", "\"10.1.2.2:0\": \"0\" is not a port: they are from 1 to 65535");
  expect_in_forward("to = ^\"10.1.2.2:\"", "\"10.1.2.2:\": \"\" is not a port or a range of ports like 27015-27030");
  expect_in_forward("to = ^\"10.1.2.3:5\"", "no peer's allowed_ips hold 10.1.2.3: nothing would get there");
  expect_complaints({std::string(kGateway) + "^[[forward]]\nlisten = \"0.0.0.0:1\"",
                     {"[[forward]] needs to, such as \"10.1.2.2:34197\""}});
  expect_in_forward("to = ^\"10.1.2.5:5\"", "10.1.2.5 is the gateway's own address, not a service's");
  const std::string only_v4 =
      "[interface]\nprivate_key = @KEY\naddresses = \"10.1.2.5\"\n[[peer]]\npublic_key = @HOME\n"
      "allowed_ips = \"fd00::/64\"\n[[forward]]\nlisten = \"0.0.0.0:5\"\n";
  expect_complaints(
      {only_v4 + "to = ^\"[fd00::2]:5\"", {"the interface has no IPv6 address, which fd00::2 would answer to"}});
}

TEST(ForwardMistakes, InNumbersOfPortsThatDoNotFit) {
  const std::string end = ": write as many, one, or the address alone";
  expect_in_forward("to = ^\"10.1.2.2:80-81\"", "\"10.1.2.2:80-81\" has 2 ports, \"0.0.0.0:34197\" has 1 port" + end);
  expect_in_forward("to = ^\"10.1.2.2:80-85\"\nlisten = [\"0.0.0.0:1-16\", \"[::]:1-16\"]",
                    "\"10.1.2.2:80-85\" has 6 ports, \"0.0.0.0:1-16\" has 16 ports" + end);
  expect_in_forward("to = ^\"10.1.2.2:80,81\"\nlisten = [\"0.0.0.0:1-2\", \"[::]:1-3\", \"192.0.2.1:5\"]",
                    "\"10.1.2.2:80,81\" has 2 ports, \"[::]:1-3\" has 3 ports" + end +
                        "\n\"10.1.2.2:80,81\" has 2 ports, \"192.0.2.1:5\" has 1 port" + end);
}

TEST(ForwardMistakes, InSourcesThatCannotBeKept) {
  expect_in_forward("source = \"keep\"\nlisten = [\"0.0.0.0:5\", ^\"[::]:5\"]",
                    "\"[::]:5\" is IPv6 and 10.1.2.2 is not, so source = \"keep\" cannot show it the clients: write a "
                    "second forward to an IPv6 address of the service");
  expect_in_forward("source = \"keep\"\nlisten = [^\"0.0.0.0:5\", \"[::]:5\"]\nto = \"[fd00:1:2::2]\"",
                    "\"0.0.0.0:5\" is IPv4 and fd00:1:2::2 is not, so source = \"keep\" cannot show it the clients: "
                    "write a second forward to an IPv4 address of the service");
}

/// A second forward after one that listens on 0.0.0.0:5, 192.0.2.1:6 and 0.0.0.0:20-30; the lines are 9 to 11.
void expect_beside(const std::string& lines, const std::string& complaint) {
  expect_complaints({std::string(kGateway) +
                         "[[forward]]\nlisten = [\"0.0.0.0:5\",\n\"192.0.2.1:6\",\n\"0.0.0.0:20-30\"]\n"
                         "to = \"10.1.2.2\"\n[[forward]]\nto = \"10.1.2.2\"\n" +
                         lines,
                     {complaint}});
}

TEST(ForwardMistakes, BetweenForwards) {
  expect_beside("name = \"b\"\nlisten = ^\"0.0.0.0:5\"", "0.0.0.0:5 is already listened on, line 9");
  expect_beside("name = \"b\"\nlisten = ^\"192.0.2.1:5\"", "192.0.2.1:5 overlaps with 0.0.0.0:5, line 9");
  expect_beside("name = \"b\"\nlisten = ^\"0.0.0.0:6\"", "0.0.0.0:6 overlaps with 192.0.2.1:6, line 10");
  expect_beside("name = ^\"udp-5\"\nlisten = \"0.0.0.0:7\"", "another forward is named \"udp-5\", line 8");
  expect_in_forward("listen = [\"0.0.0.0:5\",\n^\"0.0.0.0:5\"]", "0.0.0.0:5 is already listened on, line 10");
  expect_in_forward("listen = ^\"[::]:342\"", "[::]:342 is the interface's own listen_port, line 3");
  expect_in_forward("listen = ^\"192.0.2.1:1,340-350\"", "192.0.2.1:342 is the interface's own listen_port, line 3");
}

TEST(ForwardMistakes, BetweenRangesAreOneForEachPairOfEntries) {
  expect_beside("listen = ^\"0.0.0.0:15-25\"", "0.0.0.0:20-25 is already listened on, line 11");
  expect_beside("listen = ^\"0.0.0.0:40,29,30,21\"", "0.0.0.0:21 is already listened on, line 11");
  expect_beside("listen = ^\"192.0.2.7:28-100\"", "192.0.2.7:28-30 overlaps with 0.0.0.0:28-30, line 11");
  expect_beside("listen = ^\"0.0.0.0:1-100\"",
                "0.0.0.0:5 is already listened on, line 9\n0.0.0.0:6 overlaps with 192.0.2.1:6, line 10\n"
                "0.0.0.0:20-30 is already listened on, line 11");
  // The third of a kind clashes with the first alone: one thing to change, one message.
  expect_in_forward("listen = [\"0.0.0.0:5-9\",\n\"[::]:5-9\",\n^\"0.0.0.0:7-12\"]",
                    "0.0.0.0:7-9 is already listened on, line 10");
}

TEST(ForwardMistakes, OfOneProtocolAreNotLookedForInTheOther) {
  expect_beside(
      "protocol = \"tcp\"\nlisten = \"0.0.0.0:342\"\n[[forward]]\nto = \"10.1.2.2\"\nprotocol = \"tcp\"\n"
      "name = \"b\"\nlisten = ^\"192.0.2.1:1-1000\"",
      "192.0.2.1:342 overlaps with 0.0.0.0:342, line 16");
  expect_beside(
      "protocol = ^\"tpc\"\nlisten = \"0.0.0.0:5\"\nsource = \"keep\"\nproxy_protocol = \"v1\"\n"
      "unanswered_timeout = 10\nconnect_timeout = 20",
      "protocol must be \"udp\" or \"tcp\", not \"tpc\"");
}

TEST(ForwardMistakes, InOneTimeDoNotCauseOthers) {
  expect_in_forward("idle_timeout = ^0\nunanswered_timeout = \"10m\"",
                    "idle_timeout must be from \"1s\" to \"24h\", like \"90s\", \"2m\" or 90");
  expect_in_forward("max_flows = ^0\nmax_flows_per_source = 5000", "max_flows must be an integer from 1 to 262144");
}

}  // namespace
}  // namespace adit::config
