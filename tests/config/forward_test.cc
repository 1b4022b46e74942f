// What a [[forward]] means: ports, limits and times, who may use it.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/config/fixtures.h"

namespace adit::config {
namespace {

/// A gateway with `lines` as its only forward.
Config gateway_with(const std::string& lines) {
  return parse_text("[interface]\nprivate_key = \"" + std::string(kPrivateKey) +
                    "\"\naddresses = [\"10.1.2.5/24\", \"fd00:1:2::5/64\"]\nlisten_port = 342\n[[peer]]\n"
                    "public_key = \"" +
                    kHomeKey + "\"\nallowed_ips = [\"10.1.2.0/24\", \"fd00:1:2::/64\"]\n[[forward]]\n" + lines);
}

Forward forward_with(const std::string& lines) { return gateway_with(lines).forwards.front(); }

/// "0.0.0.0:5>10.1.2.2:6 ..."
std::string listeners_of(const std::string& listen, const std::string& to) {
  std::string text;
  for (const Listener& each : forward_with("listen = " + listen + "\nto = \"" + to + "\"").listeners) {
    text += (text.empty() ? "" : " ") + each.listen.to_string() + ">" + each.to.to_string();
  }
  return text;
}

TEST(Forwards, SendEachPortToItsOwnNumberWhenOnlyAnAddressIsGiven) {
  EXPECT_EQ(listeners_of("\"0.0.0.0:5-7\"", "10.1.2.2"),
            "0.0.0.0:5>10.1.2.2:5 0.0.0.0:6>10.1.2.2:6 0.0.0.0:7>10.1.2.2:7");
  EXPECT_EQ(listeners_of("[\"0.0.0.0:9\", \"[::]:9,1\"]", "[fd00:1:2::2]"),
            "0.0.0.0:9>[fd00:1:2::2]:9 [::]:9>[fd00:1:2::2]:9 [::]:1>[fd00:1:2::2]:1");
}

TEST(Forwards, SendAllPortsToOne) {
  EXPECT_EQ(listeners_of("[\"0.0.0.0:80,8000-8001\", \"[::]:5\"]", "10.1.2.2:7"),
            "0.0.0.0:80>10.1.2.2:7 0.0.0.0:8000>10.1.2.2:7 0.0.0.0:8001>10.1.2.2:7 [::]:5>10.1.2.2:7");
}

TEST(Forwards, PairListsOfPortsInTheOrderWritten) {
  EXPECT_EQ(listeners_of("\"0.0.0.0:5-7\"", "10.1.2.2:15-17"),
            "0.0.0.0:5>10.1.2.2:15 0.0.0.0:6>10.1.2.2:16 0.0.0.0:7>10.1.2.2:17");
  EXPECT_EQ(listeners_of("[\"0.0.0.0:443, 21, 80\", \"[::]:1-3\"]", "10.1.2.2:9,9,1"),
            "0.0.0.0:443>10.1.2.2:9 0.0.0.0:21>10.1.2.2:9 0.0.0.0:80>10.1.2.2:1 "
            "[::]:1>10.1.2.2:9 [::]:2>10.1.2.2:9 [::]:3>10.1.2.2:1");
}

TEST(Forwards, KeepWhatWasWritten) {
  const Forward forward = forward_with("listen = [\"0.0.0.0:443, 21\", \"[::]:1-2\"]\nto = \"10.1.2.2:5-6\"");
  EXPECT_EQ(forward.listen, (std::vector<std::string>{"0.0.0.0:443, 21", "[::]:1-2"}));
  EXPECT_EQ(forward.to, "10.1.2.2:5-6");
}

TEST(Forwards, ListenOnAsManyPortsAsThereAreSocketsFor) {
  EXPECT_EQ(forward_with("listen = \"0.0.0.0:61440-65535\"\nto = \"10.1.2.2\"").listeners.size(), 4096u);
}

/// A list of ports as text, and the ports it means, none of them twice.
struct RandomPorts {
  std::string text;
  std::vector<uint16_t> ports;
};

RandomPorts random_ports(std::mt19937& random, size_t most) {
  RandomPorts made;
  const auto draw = [&](size_t from, size_t to) { return std::uniform_int_distribution<size_t>(from, to)(random); };
  for (size_t items = draw(1, 6); items > 0; --items) {
    const size_t first = draw(0, 9) == 0 ? draw(65500, 65535) : draw(1, 500);
    const size_t last = draw(0, 1) == 0 ? first : std::min(first + draw(0, 20), size_t{65535});
    const auto is_taken = [&](uint16_t port) { return port >= first && port <= last; };
    if (std::ranges::any_of(made.ports, is_taken) || made.ports.size() + last - first + 1 > most) continue;
    made.text += (made.text.empty() ? "" : ",") + std::to_string(first);
    if (last != first || draw(0, 3) == 0) made.text += "-" + std::to_string(last);
    for (size_t port = first; port <= last; ++port) made.ports.push_back(static_cast<uint16_t>(port));
  }
  return made;
}

TEST(Forwards, SpellOutRandomListsAsANaiveModelDoes) {
  constexpr unsigned kSeed = 20261121;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 2000; ++round) {
    const RandomPorts listen = random_ports(random, 100);
    const RandomPorts to = random_ports(random, 100);
    if (listen.ports.empty() || to.ports.empty()) continue;
    std::string complaint;
    std::vector<Listener> listeners;
    complaint = complaint_of([&] {
      listeners = forward_with("listen = [\"192.0.2.1:" + listen.text + "\", \"[::]:" + listen.text +
                               "\"]\nprotocol = \"tcp\"\nto = \"10.1.2.2:" + to.text + "\"")
                      .listeners;
    });
    SCOPED_TRACE(listen.text + " to " + to.text);
    const bool fits = to.ports.size() == 1 || to.ports.size() == listen.ports.size();
    ASSERT_EQ(complaint.empty(), fits) << complaint;
    std::vector<Listener> expected;
    for (const char* address : {"192.0.2.1", "::"}) {
      for (size_t i = 0; fits && i < listen.ports.size(); ++i) {
        const uint16_t service = to.ports.size() == 1 ? to.ports[0] : to.ports[i];
        expected.push_back({{*Ip::parse(address), listen.ports[i]}, {*Ip::parse("10.1.2.2"), service}});
      }
    }
    ASSERT_EQ(listeners, expected);
    if (fits) continue;
    EXPECT_NE(complaint.find(" has " + std::to_string(to.ports.size()) + " port"), complaint.npos) << complaint;
    EXPECT_NE(complaint.find(" has " + std::to_string(listen.ports.size()) + " port"), complaint.npos) << complaint;
  }
}

TEST(Forwards, OfRandomPortsClashExactlyWhenTheyShareOne) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  int clashes = 0;
  for (int round = 0; round < 1000; ++round) {
    const RandomPorts one = random_ports(random, 100);
    const RandomPorts two = random_ports(random, 100);
    if (one.ports.empty() || two.ports.empty()) continue;
    const auto is_shared = [&](uint16_t port) { return std::ranges::count(one.ports, port) > 0; };
    const bool has_shared = std::ranges::any_of(two.ports, is_shared);
    const std::string complaint = complaint_of([&] {
      forward_with("protocol = \"tcp\"\nto = \"10.1.2.2\"\nlisten = [\"0.0.0.0:" + one.text +
                   "\", \"192.0.2.1:" + two.text + "\"]");
    });
    ASSERT_EQ(!complaint.empty(), has_shared) << one.text << " and " << two.text << ": " << complaint;
    clashes += has_shared ? 1 : 0;
  }
  EXPECT_GT(clashes, 100);
}

TEST(Forwards, OfBothProtocolsMayHaveOnePort) {
  const Config config = gateway_with(
      "listen = \"0.0.0.0:53\"\nto = \"10.1.2.2\"\n"
      "[[forward]]\nprotocol = \"tcp\"\nlisten = [\"0.0.0.0:53\", \"[::]:342\"]\nto = \"10.1.2.2\"");
  EXPECT_EQ(config.forwards[0].protocol, Protocol::kUdp);
  EXPECT_EQ(config.forwards[1].protocol, Protocol::kTcp);
  EXPECT_EQ(config.forwards[1].listeners.size(), 2u);
}

TEST(Forwards, AreNamedAfterTheirFirstPorts) {
  const auto name_of = [](const std::string& listen, const std::string& protocol = "udp") {
    return forward_with("listen = " + listen + "\nto = \"10.1.2.2\"\nprotocol = \"" + protocol + "\"").name;
  };
  EXPECT_EQ(name_of("\"0.0.0.0:27015-27030\""), "udp-27015-27030");
  EXPECT_EQ(name_of("[\"0.0.0.0:81\", \"0.0.0.0:82\"]", "tcp"), "tcp-81");
  EXPECT_EQ(name_of("\"0.0.0.0: 21, 80-80 ,443\"", "tcp"), "tcp-21,80,443");
  EXPECT_EQ(name_of("\"0.0.0.0:10001,10003,10005,10007,10009,10011,10013,10015,10017,10019\""),
            "udp-10001,10003,10005,10007,10009,10011,10013,10015,10017,10019");
  EXPECT_EQ(name_of("\"0.0.0.0:10001,10003,10005,10007,10009,10011,10013,10015,10017,10019,10021\""),
            "udp-10001,10003,10005,10007,10009,10011,10013,10015,10017,...");
}

constexpr const char* kUdp = "listen = \"0.0.0.0:5\"\nto = \"10.1.2.2\"\n";
constexpr const char* kTcp = "protocol = \"tcp\"\nlisten = \"0.0.0.0:5\"\nto = \"10.1.2.2\"\n";

TEST(Forwards, HaveTimesOfTheirProtocol) {
  const Forward udp = forward_with(kUdp);
  EXPECT_EQ(udp.idle_timeout, seconds(180));
  EXPECT_EQ(udp.unanswered_timeout, seconds(30));
  const Forward tcp = forward_with(kTcp);
  EXPECT_EQ(tcp.idle_timeout, seconds(7200));
  EXPECT_EQ(tcp.connect_timeout, seconds(10));
  const Forward patient = forward_with(std::string(kTcp) + "idle_timeout = \"168h\"\nconnect_timeout = \"2m\"");
  EXPECT_EQ(patient.idle_timeout, seconds(7 * 24 * 3600));
  EXPECT_EQ(patient.connect_timeout, seconds(120));
}

TEST(Forwards, WaitForAnAnswerNoLongerThanForAnythingElse) {
  const auto unanswered = [](const std::string& lines) { return forward_with(kUdp + lines).unanswered_timeout; };
  EXPECT_EQ(unanswered("idle_timeout = 20"), seconds(20));
  EXPECT_EQ(unanswered("idle_timeout = 40"), seconds(30));
  EXPECT_EQ(unanswered("idle_timeout = 40\nunanswered_timeout = 40"), seconds(40));
  EXPECT_EQ(unanswered("unanswered_timeout = \"1s\""), seconds(1));
}

TEST(Forwards, HaveLimitsOfTheirProtocol) {
  const Forward udp = forward_with(kUdp);
  EXPECT_EQ(udp.max_flows, 4096u);
  EXPECT_EQ(udp.max_flows_per_source, 64u);
  EXPECT_EQ(udp.max_new_flows_per_source, 0u);
  EXPECT_EQ(forward_with(kTcp).max_flows, 1024u);
  EXPECT_EQ(forward_with(std::string(kUdp) + "max_flows = 9").max_flows_per_source, 9u);
  const Forward large = forward_with(std::string(kUdp) +
                                     "max_flows = 262144\nmax_flows_per_source = 262144\n"
                                     "max_new_flows_per_source = 10000");
  EXPECT_EQ(large.max_flows, 262144u);
  EXPECT_EQ(large.max_flows_per_source, 262144u);
  EXPECT_EQ(large.max_new_flows_per_source, 10000u);
}

TEST(Forwards, ShowServicesTheGatewayTheClientOrAHeader) {
  EXPECT_EQ(forward_with(kUdp).source, SourceAddress::kSnat);
  EXPECT_EQ(forward_with(std::string(kUdp) + "source = \"keep\"").source, SourceAddress::kKeep);
  EXPECT_EQ(forward_with(kTcp).proxy_protocol, ProxyProtocol::kNone);
  EXPECT_EQ(forward_with(std::string(kTcp) + "source = \"snat\"\nproxy_protocol = \"v1\"").proxy_protocol,
            ProxyProtocol::kV1);
  EXPECT_EQ(forward_with(std::string(kTcp) + "proxy_protocol = \"v2\"").proxy_protocol, ProxyProtocol::kV2);
}

/// As whoever uses a table reads it: the longest prefix decides, and whom none holds is not let in.
bool lets_in(const Table& table, const char* address) {
  const TableEntry* longest = nullptr;
  for (const TableEntry& entry : table) {
    if (!entry.prefix.contains(*Ip::parse(address))) continue;
    if (longest == nullptr || entry.prefix.length > longest->prefix.length) longest = &entry;
  }
  return longest != nullptr && !longest->excluded;
}

TEST(Forwards, MayBeForEverybodyButATable) {
  const auto from = [](const std::string& table) {
    return *forward_with(std::string(kUdp) + "from = \"!t\"\n[tables]\nt = " + table).from;
  };
  const Table but_private = from("[\"10.0.0.0/8\", \"!10.7.0.0/16\", \"10.7.7.0/24\", \"fd00::/8\"]");
  EXPECT_FALSE(lets_in(but_private, "10.1.1.1"));
  EXPECT_TRUE(lets_in(but_private, "10.7.1.1"));
  EXPECT_FALSE(lets_in(but_private, "10.7.7.1"));
  EXPECT_TRUE(lets_in(but_private, "192.0.2.1"));
  EXPECT_FALSE(lets_in(but_private, "fd00::1"));
  EXPECT_TRUE(lets_in(but_private, "2001:db8::1"));

  const Table but_internet = from("[\"0.0.0.0/0\", \"!10.0.0.0/8\"]");
  EXPECT_FALSE(lets_in(but_internet, "192.0.2.1"));
  EXPECT_TRUE(lets_in(but_internet, "10.1.1.1"));
  EXPECT_TRUE(lets_in(but_internet, "2001:db8::1"));
}

}  // namespace
}  // namespace adit::config
