// Every mistake the reader knows, but for those in forwards: forward_mistakes_test.cc has them.
#include "tests/config/mistakes.h"

namespace adit::config {
namespace {

TEST(Mistakes, InTheFileAsAWhole) {
  const std::string no_interface = "there is no [interface] section";
  expect_complaints({"^", {no_interface}});
  expect_complaints({"^\n# nothing\n", {no_interface}});
  expect_complaints({"x^!", {"this is not TOML: key-value pair: expected '='"}});
  expect_complaints({"^^interfaces = 1", {no_interface, "unknown key \"interfaces\" (did you mean \"interface\"?)"}});
  expect_complaints({"interface = ^5", {"interface must be written [interface], once"}});
  expect_complaints({"^[[interface]]\nprivate_key = @KEY", {"interface must be written [interface], once"}});
  expect_complaints({"[interface]\nprivate_key = @KEY\n^[peer]\n", {"peer must be written [[peer]], once for each"}});
  expect_complaints(
      {"[interface]\nprivate_key = @KEY\n[^peers]\n", {"unknown key \"peers\" (did you mean \"peer\"?)"}});
  expect_complaints(
      {"[interface]\nprivate_key = @KEY\n^[forward]\n", {"forward must be written [[forward]], once for each"}});
  expect_complaints({"tables = ^[]\n[interface]\nprivate_key = @KEY\n", {"tables must be written [tables], once"}});
}

TEST(Mistakes, InTheInterface) {
  expect_in_interface("^lisen_port = 342", "unknown key \"lisen_port\" (did you mean \"listen_port\"?)");
  expect_in_interface("^ListenPort = 342", "unknown key \"ListenPort\" (did you mean \"listen_port\"?)");
  expect_in_interface("^\"\\u001b[31m\" = 342", "unknown key \"\\x1b[31m\"");
  for (const char* value : {"65536", "-1", "\"342\"", "342.0", "true", "[342]", "9223372036854775807"}) {
    expect_in_interface("listen_port = ^" + std::string(value), "listen_port must be an integer from 0 to 65535");
  }
  const std::string name = "name must be 1 to 15 letters, digits or _ = + . - and is ";
  expect_in_interface("name = ^\"\"", name + "\"\"");
  expect_in_interface("name = ^\"wg/0\"", name + "\"wg/0\"");
  expect_in_interface("name = ^\"wg0123456789abcd\"", name + "\"wg0123456789abcd\"");
  expect_in_interface("name = ^5", "name must be text in quotes");
  expect_in_interface("tun = ^1", "tun must be true or false");
  expect_in_interface("mtu = ^575", "mtu must be an integer from 576 to 65455");
  expect_in_interface("mtu = ^65456", "mtu must be an integer from 576 to 65455");
  expect_in_interface("addresses = [\"fd00::1/64\"]\nmtu = ^1279",
                      "mtu must be at least 1280 because the interface has an IPv6 address");
  const std::string mark = "fwmark must be an integer from 0 to 4294967295, text like \"0xca6c\", or \"off\"";
  for (const char* value : {"-1", "4294967296", "\"on\"", "\"0x\"", "1.5"}) {
    expect_in_interface("fwmark = ^" + std::string(value), mark);
  }
  const std::string table = "table must be an integer from 1 to 4294967295, \"auto\", \"main\" or \"off\"";
  for (const char* value : {"0", "-1", "4294967296", "\"default\"", "false"}) {
    expect_in_interface("table = ^" + std::string(value), table);
  }
}

TEST(Mistakes, InTheAddresses) {
  const std::string form = " is not an address like \"10.1.2.5/24\" or \"fd00:1:2::5/64\"";
  expect_in_interface("addresses = [\"10.1.2.5/24\", ^\"10.1.2.300/24\"]", "\"10.1.2.300/24\"" + form);
  expect_in_interface("addresses = ^\"10.1.2.5/33\"", "\"10.1.2.5/33\"" + form);
  expect_in_interface("addresses = ^5", "addresses must be a list of texts in quotes");
  expect_in_interface("addresses = [\"10.1.2.5/24\", ^5]", "addresses must be a list of texts in quotes");
  expect_in_interface("addresses = [\"10.1.2.5/24\",\n  ^\"10.1.2.5/16\"]", "10.1.2.5 is already an address, line 3");
}

TEST(Mistakes, InThePrivateKey) {
  const std::string form = "private_key must be a key: 44 characters of base64, as wg and adit write it";
  expect_complaints({"^[interface]\n", {"[interface] needs private_key or private_key_file"}});
  expect_complaints({"[interface]\nprivate_key = ^\"\"", {form}});
  expect_complaints({"[interface]\nprivate_key = ^\"abc\"", {form}});
  expect_complaints({"[interface]\nprivate_key = ^5", {"private_key must be text in quotes"}});
  expect_complaints({"[interface]\nprivate_key = ^\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
                     {"private_key is all zeros, which is no key"}});
  expect_complaints({"[interface]\nprivate_key = @KEY\nprivate_key_file = ^\"wg0.key\"",
                     {"give either private_key or private_key_file, not both"}});
}

TEST(Mistakes, InAPeer) {
  const std::string form = "public_key must be a key: 44 characters of base64, as wg and adit write it";
  expect_complaints({"[interface]\nprivate_key = @KEY\n  ^[[peer]]\n", {"[[peer]] needs public_key"}});
  expect_complaints({"[interface]\nprivate_key = @KEY\n[[peer]]\npublic_key = ^\"x\"", {form}});
  expect_complaints(
      {"[interface]\nprivate_key = @KEY\n[[peer]]\npublic_key = ^7", {"public_key must be text in quotes"}});
  expect_complaints(
      {"[interface]\nprivate_key = @KEY\n[[peer]]\n"
       "public_key = ^\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"",
       {"public_key is all zeros, which is no key"}});
  expect_in_peer("^allowedips = []", "unknown key \"allowedips\" (did you mean \"allowed_ips\"?)");
  expect_in_peer("name = ^\"\"", "name must be 1 to 63 bytes without control characters");
  expect_in_peer("name = ^\"a\\nb\"", "name must be 1 to 63 bytes without control characters");
  expect_in_peer("preshared_key = ^\"x\"",
                 "preshared_key must be a key: 44 characters of base64, as wg and adit write it");
  expect_in_peer("allowed_ips = [\"10.0.0.0/8\", ^\"10.1.2/24\"]",
                 "\"10.1.2/24\" is not a network like \"10.1.2.2/32\" or \"fd00:1:2::2/128\"");
  const std::string endpoint =
      " is not an endpoint like \"host.example:342\", \"192.0.2.1:342\" or \"[2001:db8::1]:342\"";
  expect_in_peer("endpoint = ^\"host.example\"", "\"host.example\"" + endpoint);
  expect_in_peer("endpoint = ^\"2001:db8::1:342\"", "\"2001:db8::1:342\"" + endpoint);
  const std::string keepalive = "persistent_keepalive must be seconds from 0 to 65535, or \"off\"";
  for (const char* value : {"-1", "65536", "\"on\"", "\"25\"", "2.5"}) {
    expect_in_peer("persistent_keepalive = ^" + std::string(value), keepalive);
  }
}

TEST(Mistakes, BetweenPeers) {
  expect_complaints({"[interface]\nprivate_key = @KEY\n[[peer]]\npublic_key = ^@OWN",
                     {"this is the interface's own public key, not the peer's"}});
  expect_complaints({"[interface]\nprivate_key = @KEY\n[[peer]]\npublic_key = @HOME\n[[peer]]\npublic_key = ^@HOME",
                     {"another peer has this public key, line 4"}});
  const std::string two = "[interface]\nprivate_key = @KEY\n[[peer]]\npublic_key = @HOME\n";
  expect_complaints(
      {two + "name = \"a\"\n[[peer]]\npublic_key = @OTHER\nname = ^\"a\"", {"another peer is named \"a\", line 5"}});
  expect_complaints({two + "allowed_ips = [\"10.0.0.0/8\",\n\"10.1.2.3/24\"]\n[[peer]]\npublic_key = @OTHER\n"
                           "allowed_ips = [\"10.0.0.0/16\", ^\"10.1.2.0/24\"]",
                     {"10.1.2.0/24 already belongs to the peer of line 6"}});
}

TEST(Mistakes, InMetrics) {
  const std::string before = "[interface]\nprivate_key = @KEY\n";
  expect_complaints({"metrics = ^5\n" + before, {"metrics must be written [metrics], once"}});
  expect_complaints({before + "^[metrics]", {"[metrics] needs listen, such as \"127.0.0.1:9586\""}});
  expect_complaints({before + "[metrics]\n^lisen = \"127.0.0.1:9586\"\nlisten = \"127.0.0.1:9586\"",
                     {"unknown key \"lisen\" (did you mean \"listen\"?)"}});
  expect_complaints({before + "[metrics]\nlisten = ^9586", {"listen must be a list of texts in quotes"}});
  const std::string form = " is not an address and port like \"127.0.0.1:9586\" or \"[::1]:9586\"";
  for (const char* text : {"", "9586", ":9586", "localhost:9586", "127.0.0.1", "127.0.0.1:0", "::1:9586"}) {
    expect_complaints({before + "[metrics]\nlisten = ^" + in_quotes(text), {in_quotes(text) + form}});
  }
  const std::string advice =
      " is not a loopback address: there is no password and no encryption (listen on \"127.0.0.1:9586\", and reach it "
      "by ssh -L)";
  for (const char* text :
       {"0.0.0.0:9586", "[::]:9586", "126.0.0.1:9586", "[::2]:9586", "10.1.2.5:9586", "[fd00::1]:9586"}) {
    expect_complaints(
        {before + "[metrics]\nlisten = [\"[::1]:9586\", ^" + in_quotes(text) + "]", {in_quotes(text) + advice}});
  }
}

TEST(Mistakes, BetweenMetricsAndOtherListeners) {
  const std::string gateway = kGateway;
  const std::string web = "[[forward]]\nprotocol = \"tcp\"\nto = \"10.1.2.2\"\nlisten = ";
  expect_complaints({gateway + "[metrics]\nlisten = [\"127.0.0.1:9\", \"[::1]:9\",\n^\"127.0.0.1:9\"]",
                     {"127.0.0.1:9 is already listened on, line 9"}});
  expect_complaints({gateway + web + "\"0.0.0.0:1-90\"\n[metrics]\nlisten = [\"[::1]:9\", ^\"127.0.0.1:9\"]",
                     {"127.0.0.1:9 is already listened on, line 11"}});
  expect_complaints({gateway + web + "\"[::1]:9\"\n[metrics]\nlisten = [^\"[::1]:9\", \"127.0.0.1:9\"]",
                     {"[::1]:9 is already listened on, line 11"}});
  expect_complaints({gateway + "[metrics]\nlisten = [\"127.0.0.1:1\", \"127.0.0.1:2\", \"127.0.0.1:3\",\n" +
                         "\"127.0.0.1:4\", ^\"127.0.0.1:5\"]",
                     {"metrics are listened for at 4 addresses at most"}});
}

TEST(Mistakes, InTables) {
  const std::string before = "[interface]\nprivate_key = @KEY\n[tables]\n";
  expect_complaints({before + "a = ^5", {"table \"a\" must be a list of texts in quotes"}});
  expect_complaints({before + "a = [\"0.0.0.0/0\", ^5]", {"table \"a\" must be a list of texts in quotes"}});
  expect_complaints(
      {before + "a = [\"0.0.0.0/0\", ^\"!10\"]", {"\"!10\" is not a network like \"10.0.0.0/8\" or \"!10.0.0.0/8\""}});
  expect_complaints({before + "a = ^[\"!10.0.0.0/8\"]",
                     {"table \"a\" lets nobody in: it needs an entry without \"!\", such as \"0.0.0.0/0\""}});
  expect_complaints({before + "^\"!a\" = [\"10.0.0.0/8\"]",
                     {"a table's name must not begin with \"!\", which is for its use: from = \"!name\""}});
  expect_complaints({before + "a = ^[\"10.0.0.0/8\", \"!10.0.0.0/8\"]",
                     {"table \"a\" holds 10.0.0.0/8 both with and without \"!\""}});
}

TEST(Mistakes, InFrom) {
  expect_in_forward("from = ^\"internet\"", "[tables] has no \"internet\"");
  expect_in_forward("from = ^\"internte\"\n[tables]\ninternet = [\"0.0.0.0/0\"]",
                    "[tables] has no \"internte\" (did you mean \"internet\"?)");
  expect_in_forward("from = ^\"10.0.0.0/8\"",
                    "[tables] has no \"10.0.0.0/8\" (a list of networks stands in brackets: from = [\"10.0.0.0/8\"])");
  expect_in_forward("from = [^\"internet\"]", "\"internet\" is not a network like \"10.0.0.0/8\" or \"!10.0.0.0/8\"");
  expect_in_forward("from = [\"10.0.0.0/8\", ^\"home\"]\n[tables]\nhome = [\"10.0.0.0/8\"]",
                    "\"home\" is not a network like \"10.0.0.0/8\" or \"!10.0.0.0/8\" (a table is named alone: from = "
                    "\"home\")");
  expect_in_forward("from = ^\"!internte\"\n[tables]\ninternet = [\"0.0.0.0/0\"]",
                    "[tables] has no \"internte\" (did you mean \"internet\"?)");
  expect_in_forward(
      "from = ^\"!10.0.0.0/8\"",
      "[tables] has no \"!10.0.0.0/8\" (a list of networks stands in brackets: from = [\"!10.0.0.0/8\"])");
  expect_in_forward("from = ^\"!all\"\n[tables]\nall = [\"0.0.0.0/0\", \"::/0\"]",
                    "from = \"!all\" lets nobody in: the table holds every address");
  expect_in_forward("from = ^[\"!10.0.0.0/8\"]",
                    "from lets nobody in: it needs an entry without \"!\", such as \"0.0.0.0/0\"");
  expect_in_forward("from = ^[]", "from lets nobody in: it needs an entry without \"!\", such as \"0.0.0.0/0\"");
  expect_in_forward("from = ^5", "from must be a list of texts in quotes");
}

TEST(Mistakes, AreAllReportedInTheOrderOfTheFile) {
  expect_complaints(
      {R"([[forward]]
name = ^""
protocol = ^"sctp"
listen = ["0.0.0.0:5", ^"0.0.0.0:5"]
to = ^"10.9.9.9:5"
from = ^"intrnet"

[tables]
internet = ["0.0.0.0/0", ^"1.2.3"]

^[interface]
^lisen_port = 342
addresses = ["10.1.2.5/24"]

[[peer]]
public_key = @HOME
^allowed-ips = 1
allowed_ips = ["10.1.2.2/32"]
endpoint = ^5

[^interfaces]
)",
       {"name must be 1 to 63 bytes without control characters", "protocol must be \"udp\" or \"tcp\", not \"sctp\"",
        "0.0.0.0:5 is already listened on, line 4", "no peer's allowed_ips hold 10.9.9.9: nothing would get there",
        "[tables] has no \"intrnet\" (did you mean \"internet\"?)",
        "\"1.2.3\" is not a network like \"10.0.0.0/8\" or \"!10.0.0.0/8\"",
        "[interface] needs private_key or private_key_file",
        "unknown key \"lisen_port\" (did you mean \"listen_port\"?)",
        "unknown key \"allowed-ips\" (did you mean \"allowed_ips\"?)", "endpoint must be text in quotes",
        "unknown key \"interfaces\" (did you mean \"interface\"?)"}});
}

/// A list that is misspelled or wrong proves nothing about what leads where: one mistake is one message.
TEST(Mistakes, DoNotCauseOthers) {
  const std::string forward = "[[forward]]\nlisten = \"0.0.0.0:5\"\nto = \"10.1.2.2:5\"\n";
  const std::string interface = "[interface]\nprivate_key = @KEY\naddresses = \"10.1.2.5\"\n";
  expect_complaints({interface + "[[peer]]\npublic_key = @HOME\n^allowed_ip = \"10.1.2.2\"\n" + forward,
                     {"unknown key \"allowed_ip\" (did you mean \"allowed_ips\"?)"}});
  expect_complaints({interface + "[[peer]]\npublic_key = @HOME\nallowed_ips = ^\"10.1.2\"\n" + forward,
                     {"\"10.1.2\" is not a network like \"10.1.2.2/32\" or \"fd00:1:2::2/128\""}});
  expect_complaints({interface + "[[^peers]]\npublic_key = @HOME\nallowed_ips = \"10.1.2.2\"\n" + forward,
                     {"unknown key \"peers\" (did you mean \"peer\"?)"}});
  expect_complaints(
      {"[interface]\nprivate_key = @KEY\n^address = \"10.1.2.5\"\n[[peer]]\npublic_key = @HOME\n"
       "allowed_ips = \"10.1.2.2\"\n" +
           forward,
       {"unknown key \"address\" (did you mean \"addresses\"?)"}});
}

}  // namespace
}  // namespace adit::config
