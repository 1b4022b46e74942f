// `adit doctor` without a machine: what it concludes from facts, row by row, and that one fault is one finding.
#include <gtest/gtest.h>

#include <cerrno>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "crypto/x25519.h"
#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/echo.h"
#include "daemon/doctor/gateway_state.h"
#include "daemon/doctor/report.h"
#include "net/checksum.h"

namespace adit::doctor {
namespace {

constexpr UnixTime kNow = 1'700'000'000;

std::string key(uint8_t first) { return crypto::key_to_base64({first}); }

PeerState home() {
  PeerState peer;
  peer.name = "home";
  peer.public_key = key(2);
  peer.endpoint = Endpoint::parse("198.51.100.2:342");
  peer.allowed_ips = {*Prefix::parse("10.1.2.2/32")};
  peer.latest_handshake = kNow - 12;
  peer.received_bytes = 1000;
  return peer;
}

GatewayState gateway() {
  GatewayState gateway;
  gateway.name = "wg0";
  gateway.public_key = key(1);
  gateway.listen_port = 342;
  gateway.addresses = {*Ip::parse("10.1.2.5")};
  gateway.mtu = 1420;
  gateway.peers = {home()};
  ForwardState forward;
  forward.name = "factorio";
  forward.to = "10.1.2.2:34197";
  forward.max_flows = 64;
  gateway.forwards = {forward};
  return gateway;
}

config::Config config_of_vps() {
  config::Config config;
  config.interface.listen_port = 342;
  config::Peer peer;
  peer.name = "home";
  peer.public_key = *crypto::PublicKey::from_base64(key(2));
  config.peers = {peer};
  config.forwards.resize(1);
  config.forwards[0].name = "factorio";
  config.forwards[0].to = "10.1.2.2:34197";
  config.forwards[0].max_flows = 64;
  return config;
}

/// A VPS whose home called, with a service and no players.
Facts healthy() {
  Facts facts;
  facts.interface = "wg0";
  facts.config_file = "/etc/adit/adit.toml";
  facts.config = config_of_vps();
  facts.now = kNow;
  facts.before = facts.after = gateway();
  PingProbe ping;
  ping.to = *Ip::parse("10.1.2.2");
  ping.answered = true;
  ping.round_trip = std::chrono::microseconds(600);
  facts.pings = {ping};
  ServiceProbe service;
  service.to = *Endpoint::parse("10.1.2.2:34197");
  facts.services = {service};
  facts.advice = {"ufw allow PORT/PROTOCOL", "ss -lnp | grep :PORT", "modprobe tun", "adit run -c FILE", "ntp"};
  return facts;
}

PeerState& peer(Facts& facts) { return facts.after->peers[0]; }

/// Home does not answer; it never did, and it is the one that calls.
void is_not_there(Facts& facts) {
  facts.pings.clear();
  facts.before->peers[0].latest_handshake = peer(facts).latest_handshake = {};
  facts.before->peers[0].endpoint = peer(facts).endpoint = {};
}

/// Home does not answer where the file says that it is called.
void is_called_in_vain(Facts& facts) {
  is_not_there(facts);
  peer(facts).endpoint = Endpoint::parse("198.51.100.2:342");
  peer(facts).handshake_attempts = 3;
  facts.config->peers[0].endpoint = config::PeerEndpoint{"home.example", 342};
  facts.endpoints = {{.peer = 0, .name = "home.example", .lookup_error = "", .addresses = {}, .send_error = 0}};
}

void was_called_by(Facts& facts, const std::string& drop, const std::string& whose) {
  facts.after->strangers = {{drop, kNow - 3, *Endpoint::parse("198.51.100.2:342"), whose}};
  facts.after->drops[drop] = 2;
}

void does_not_run(Facts& facts) {
  facts.before.reset();
  facts.after.reset();
  facts.pings.clear();
  facts.services.clear();
}

std::string text_of(const Diagnosis& diagnosis) { return report_text("wg0", diagnosis); }

std::string public_key_of(const std::string& private_key) {
  return crypto::public_key_of(crypto::PrivateKey(*crypto::key_from_base64(private_key))).to_base64();
}

struct Row {
  const char* name;
  std::function<void(Facts&)> fault;
  std::vector<Code> expected;
  std::string text;  // is said
};

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"a healthy gateway without players", [](Facts&) {}, {}, "no players now"},
      {"a file that was changed and not read again",
       [](Facts& f) { f.config->interface.listen_port = 51820; },
       {},
       "adit reload wg0"},
      {"a healthy one with players",
       [](Facts& f) {
         f.after->forwards[0].flows = 3;
         f.after->forwards[0].bytes_out = 10;
       },
       {},
       "answers players"},
      {"an old handshake, and a ping that comes back",
       [](Facts& f) { peer(f).latest_handshake = kNow - 100'000; },
       {},
       "all is well"},
      {"strangers, and home is there", [](Facts& f) { was_called_by(f, "bad_mac", ""); }, {}, "all is well"},
      {"without a tun",
       [](Facts& f) {
         f.after->tun = f.before->tun = false;
         f.pings.clear();
       },
       {},
       "without a tun device nothing can be pinged"},
      {"a peer that no forward leads to and that never called",
       [](Facts& f) {
         PeerState laptop;
         laptop.name = "laptop";
         laptop.public_key = key(3);
         f.before->peers.push_back(laptop);
         f.after->peers.push_back(laptop);
       },
       {},
       "peer laptop: not there now"},
      {"home's firewall refuses pings, players are answered",
       [](Facts& f) {
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
         f.after->forwards[0].bytes_out = 10;
       },
       {},
       "answers players"},

      {"nobody has called", is_not_there, {Code::kPortClosed}, "ufw allow 342/udp"},
      {"the other end does not answer", is_called_in_vain, {Code::kPortClosed}, "called 4 times"},
      {"the other end's machine refuses",
       [](Facts& f) {
         is_called_in_vain(f);
         f.endpoints[0].send_error = ECONNREFUSED;
       },
       {Code::kPortClosed},
       "nothing listens at that port"},
      {"home goes on with its old session",
       [](Facts& f) {
         is_not_there(f);
         f.after->drops["unknown_index"] = 7;
       },
       {Code::kOldSession},
       "(unknown_index): 7"},
      {"home has a wrong key",
       [](Facts& f) {
         is_not_there(f);
         was_called_by(f, "bad_mac", "");
       },
       {Code::kWrongKey},
       "PublicKey = " + key(1)},
      {"home has another peer's key",
       [](Facts& f) {
         is_not_there(f);
         was_called_by(f, "bad_mac", key(2));
       },
       {Code::kWrongKey},
       "is that of the peer home"},
      {"the file has a wrong key",
       [](Facts& f) {
         is_not_there(f);
         was_called_by(f, "unknown_peer", key(9));
       },
       {Code::kWrongKey},
       "public_key = \"" + key(9) + "\""},
      {"the file has a private key",
       [](Facts& f) {
         is_not_there(f);
         was_called_by(f, "unknown_peer", public_key_of(key(2)));
       },
       {Code::kSwappedKeys},
       "is its private key"},
      {"strangers of long ago",
       [](Facts& f) {
         is_not_there(f);
         was_called_by(f, "bad_mac", "");
         f.after->strangers[0].at = kNow - 1000;
       },
       {Code::kPortClosed},
       "nobody has called"},
      {"our preshared key is another",
       [](Facts& f) {
         is_not_there(f);
         peer(f).unconfirmed = 3;
       },
       {Code::kWrongPsk},
       "3 handshakes were right and answered"},
      {"their preshared key is another",
       [](Facts& f) {
         is_called_in_vain(f);
         peer(f).forged_responses = 2;
       },
       {Code::kWrongPsk},
       "did not decrypt"},
      {"home's clock went back",
       [](Facts& f) {
         is_not_there(f);
         peer(f).old_initiation = {kNow - 2, kNow - 86'402, kNow - 100};
       },
       {Code::kClockOff},
       "1 day behind this machine's"},
      {"home's clock was ahead, and is right now",
       [](Facts& f) {
         is_not_there(f);
         peer(f).old_initiation = {kNow - 2, kNow - 2, kNow + 86'400};
       },
       {Code::kClockOff},
       "restart it"},
      {"a replayed initiation while the tunnel lives",
       [](Facts& f) {
         peer(f).old_initiation = {kNow - 2, kNow - 500, kNow - 12};
       },
       {},
       "all is well"},
      {"our own clock is behind",
       [](Facts& f) {
         is_called_in_vain(f);
         f.machine.newer_file = {"/etc/adit/adit.toml", kNow + 86'400};
       },
       {Code::kClockOff},
       "/etc/adit/adit.toml was written at 2023-11-15"},
      {"our own clock is behind, but nobody minds",
       [](Facts& f) {
         f.machine.newer_file = {"/etc/adit/adit.toml", kNow + 86'400};
       },
       {},
       "all is well"},
      {"a name that is not found",
       [](Facts& f) {
         is_called_in_vain(f);
         peer(f).endpoint = {};
         f.endpoints[0].lookup_error = "Name or service not known";
       },
       {Code::kEndpointGone},
       "home.example"},
      {"no way to the endpoint",
       [](Facts& f) {
         is_called_in_vain(f);
         f.endpoints[0].send_error = EHOSTUNREACH;
       },
       {Code::kEndpointGone},
       "No route to host"},
      {"a caller that has gone",
       [](Facts& f) {
         peer(f).latest_handshake = kNow - 7200;
         f.pings[0].answered = false;
       },
       {Code::kEndpointGone},
       "PersistentKeepalive = 25"},

      {"home drops what comes through the tunnel",
       [](Facts& f) {
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
       },
       {Code::kWrongAllowedIps},
       "AllowedIPs = 10.1.2.5/32"},
      {"home sends from another address",
       [](Facts& f) {
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
         peer(f).wrong_source = Ip::parse("10.1.2.9");
       },
       {Code::kWrongAllowedIps},
       "allowed_ips = [\"10.1.2.2/32\", \"10.1.2.9/32\"]"},
      {"home also sends from elsewhere, and all is answered",
       [](Facts& f) { peer(f).wrong_source = Ip::parse("192.168.1.5"); },
       {},
       "all is well"},
      {"a gateway that is called and answers no pings",
       [](Facts& f) {
         f.before->forwards.clear();
         f.after->forwards.clear();
         f.services.clear();
         f.config->peers[0].endpoint = config::PeerEndpoint{"198.51.100.2", 342};
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
       },
       {},
       "as a gateway with tun = false does not"},
      {"a user who may not ping",
       [](Facts& f) {
         f.pings[0].answered = false;
         f.pings[0].error = EPERM;
       },
       {},
       "ping 10.1.2.2: Operation not permitted"},
      {"large packets vanish", [](Facts& f) { f.pings[0].largest = 1296; }, {Code::kMtuBlackHole}, "mtu = 1296"},
      {"large packets vanish, too small for IPv6",
       [](Facts& f) { f.pings[0].largest = 1200; },
       {Code::kMtuBlackHole},
       "IPv6 needs 1280"},
      {"nobody listens",
       [](Facts& f) { f.services[0].outcome = ServiceProbe::Outcome::kRefused; },
       {Code::kServiceDead},
       "nothing listens at that port"},
      {"a player was told that nobody listens",
       [](Facts& f) { f.after->forwards[0].service_is_reachable = false; },
       {Code::kServiceDead},
       "asked by a player"},
      {"players ask in vain",
       [](Facts& f) {
         f.after->forwards[0].flows = 2;
         f.after->forwards[0].bytes_in = 100;
       },
       {Code::kServiceDead},
       "players ask"},
      {"no tcp connection",
       [](Facts& f) { f.before->forwards[0].tcp = f.after->forwards[0].tcp = true; },
       {Code::kServiceDead},
       "no connection"},
      {"a tcp service that takes connections",
       [](Facts& f) {
         f.before->forwards[0].tcp = f.after->forwards[0].tcp = true;
         f.services[0].outcome = ServiceProbe::Outcome::kAnswers;
       },
       {},
       "takes connections"},

      {"a full forward", [](Facts& f) { f.after->forwards[0].flows = 64; }, {Code::kFlowTableFull}, "max_flows = 128"},
      {"a forward that refuses players",
       [](Facts& f) { f.after->forwards[0].drops["flow_table_full"] = 5; },
       {Code::kFlowTableFull},
       "5 packets were dropped"},
      {"a forward that once refused players",
       [](Facts& f) {
         f.before->forwards[0].drops["flow_table_full"] = f.after->forwards[0].drops["flow_table_full"] = 5;
       },
       {},
       "all is well"},
      {"a source with all it may have",
       [](Facts& f) { f.after->forwards[0].drops["source_flows_full"] = 5; },
       {Code::kSourceFlowsFull},
       "max_flows_per_source"},

      {"adit was not started", does_not_run, {Code::kNotRunning}, "adit run -c /etc/adit/adit.toml"},
      {"another program has the port",
       [](Facts& f) {
         does_not_run(f);
         f.ports = {{"listen_port", *Endpoint::parse("0.0.0.0:342"), false, EADDRINUSE, "dnsmasq (pid 812)"},
                    {"listen_port", *Endpoint::parse("[::]:342"), false, EADDRINUSE, "dnsmasq (pid 812)"}};
       },
       {Code::kPortInUse},
       "dnsmasq (pid 812) has udp 0.0.0.0:342"},
      {"an address of another machine",
       [](Facts& f) {
         does_not_run(f);
         f.ports = {{"forward factorio", *Endpoint::parse("192.0.2.1:1"), false, EADDRNOTAVAIL, ""}};
       },
       {Code::kAddressMissing},
       "192.0.2.1"},
      {"a low port and no right",
       [](Facts& f) {
         does_not_run(f);
         f.config->interface.tun = false;
         f.machine.may_administer = false;
         f.ports = {{"listen_port", *Endpoint::parse("0.0.0.0:342"), false, EACCES, ""}};
       },
       {Code::kNoPermission},
       "may not use port 342"},
      {"no right, whatever else",
       [](Facts& f) {
         does_not_run(f);
         f.machine.may_administer = false;
         f.machine.tun_error = EACCES;
         f.ports = {{"listen_port", *Endpoint::parse("0.0.0.0:342"), false, EADDRINUSE, ""}};
       },
       {Code::kNoPermission},
       "CAP_NET_ADMIN"},
      {"a gateway that may not be asked",
       [](Facts& f) {
         does_not_run(f);
         f.control_error = EACCES;
       },
       {Code::kNoPermission},
       "sudo adit doctor"},
      {"no tun device",
       [](Facts& f) {
         does_not_run(f);
         f.machine.tun_error = ENOENT;
       },
       {Code::kNoTun},
       "modprobe tun"},
      {"no tun device, and none wanted",
       [](Facts& f) {
         does_not_run(f);
         f.config->interface.tun = false;
         f.machine.tun_error = ENOENT;
       },
       {Code::kNotRunning},
       "is not running"},
      {"the kernel's own interface",
       [](Facts& f) {
         does_not_run(f);
         f.machine.interface_exists = true;
       },
       {Code::kInterfaceExists},
       "wg-quick down wg0"},
      {"a wrong file",
       [](Facts& f) {
         does_not_run(f);
         f.config.reset();
         f.problems = {{{3, 1}, "unknown key"}, {{7, 2}, "another"}};
       },
       {Code::kConfigWrong},
       "/etc/adit/adit.toml:7:2: another"},
      {"the interface's own key at a peer",
       [](Facts& f) {
         does_not_run(f);
         f.config.reset();
         f.problems = {{{3, 1}, config::kIsOwnPublicKey}};
       },
       {Code::kSwappedKeys},
       "wrong sides"},
      {"a key file of somebody else",
       [](Facts& f) {
         does_not_run(f);
         f.config.reset();
         f.problems = {{{3, 1}, "read wg0.key: " + std::generic_category().message(EACCES)}};
       },
       {Code::kNoPermission},
       "wg0.key"},
  };
  return all;
}

TEST(Doctor, NamesEachFaultAndNothingElse) {
  for (const Row& row : rows()) {
    Facts facts = healthy();
    row.fault(facts);
    const Diagnosis diagnosis = diagnose(facts);
    std::vector<Code> found;
    for (const Finding& finding : diagnosis.findings) {
      found.push_back(finding.code);
      EXPECT_FALSE(finding.saw.empty()) << row.name;
      EXPECT_FALSE(finding.to_do.empty()) << row.name;
    }
    EXPECT_EQ(found, row.expected) << row.name << "\n" << text_of(diagnosis);
    EXPECT_NE(text_of(diagnosis).find(row.text), std::string::npos) << row.name << "\n" << text_of(diagnosis);
  }
}

TEST(Doctor, SaysWhatIsWellInTheOrderOfThePacketsWay) {
  const Diagnosis diagnosis = diagnose(healthy());
  EXPECT_TRUE(diagnosis.unseen.empty());
  ASSERT_EQ(diagnosis.well.size(), 7u);
  EXPECT_EQ(diagnosis.well[0], "configuration /etc/adit/adit.toml: 1 peer, 1 forward");
  EXPECT_EQ(diagnosis.well[1], "adit runs: wg0, udp port 342");
  EXPECT_EQ(diagnosis.well[2], "peer home: handshake 12 seconds ago with 198.51.100.2:342");
  EXPECT_EQ(diagnosis.well[3], "tunnel to home: 10.1.2.2 answers in 0.6 ms");
  EXPECT_EQ(diagnosis.well[4], "tunnel to home: packets of 1420 bytes pass");
  EXPECT_EQ(diagnosis.well[6], "forward factorio: no players now, room for 64");
}

TEST(Doctor, OfTwoPeersThatAreNotThereSaysOnceThatNobodyCalled) {
  Facts facts = healthy();
  is_not_there(facts);
  PeerState other = peer(facts);
  other.name = "barn";
  other.public_key = key(4);
  other.allowed_ips = {*Prefix::parse("10.1.2.3/32")};
  facts.after->forwards.push_back(facts.after->forwards[0]);
  facts.after->forwards[1].to = "10.1.2.3:1";
  facts.after->peers.push_back(other);
  facts.before = facts.after;
  EXPECT_EQ(diagnose(facts).findings.size(), 1u);
}

TEST(Doctor, EveryCodeIsInTheDocument) {
  const std::ifstream file(ADIT_SOURCE_DIR "/docs/troubleshooting.md");
  std::ostringstream text;
  text << file.rdbuf();
  for (size_t i = 0; i < static_cast<size_t>(Code::kCount); ++i) {
    const std::string name = "`" + std::string(code_name(static_cast<Code>(i))) + "`";
    EXPECT_NE(text.str().find(name), std::string::npos) << name;
  }
}

TEST(Doctor, ReadsWhatAGatewaySays) {
  const std::string json = R"({
    "interface": {"name": "wg0", "public_key": "k", "listen_port": 342, "addresses": ["10.1.2.5/24"], "mtu": 1420,
                  "tun": true},
    "peers": [{"name": "home", "public_key": "p", "endpoint": "198.51.100.2:342", "allowed_ips": ["10.1.2.2/32"],
               "latest_handshake": 1700000000, "handshake_attempts": 1, "received_bytes": 2, "sent_bytes": 3,
               "persistent_keepalive": 25,
               "trouble": {"old_initiation": {"at": 3, "stamp": 1, "newest": 2},
                           "wrong_source": "10.1.2.9", "unconfirmed": 4}}],
    "forwards": [{"name": "web", "protocol": "tcp", "listen": ["0.0.0.0:80"], "to": "10.1.2.2:80", "flows": 1,
                  "max_flows": 2, "flows_opened": 1, "bytes_in": 5, "bytes_out": 6, "drops": {"service_refused": 7}}],
    "strangers": [{"drop": "bad_mac", "at": 8, "from": "203.0.113.1:9", "meant_for": null},
                  {"drop": "unknown_peer", "at": 9, "from": "[2001:db8::1]:9", "public_key": "q"}],
    "drops": {"bad_mac": 1}})";
  const GatewayState read = read_gateway_state(json);
  ASSERT_EQ(read.peers.size(), 1u);
  EXPECT_EQ(read.peers[0].old_initiation->stamp, 1);
  EXPECT_EQ(read.peers[0].wrong_source, Ip::parse("10.1.2.9"));
  EXPECT_EQ(read.peers[0].unconfirmed, 4u);
  EXPECT_TRUE(read.forwards.at(0).tcp);
  EXPECT_EQ(count_of(read.forwards[0].drops, "service_refused"), 7u);
  EXPECT_EQ(read.strangers.at(0).key, "");
  EXPECT_EQ(read.strangers.at(1).key, "q");
  EXPECT_EQ(peer_of(read, *Ip::parse("10.1.2.2")), 0u);
  EXPECT_FALSE(peer_of(read, *Ip::parse("10.1.2.3")));
}

TEST(Doctor, RefusesWhatNoGatewaySays) {
  for (const char* text : {"", "[]", "{}", R"({"interface": 5})", R"({"interface": {"name": 1}})"}) {
    EXPECT_THROW(read_gateway_state(text), std::exception) << text;
  }
}

TEST(Echo, IsAnsweredByItsOwnPayloadAndNothingElse) {
  constexpr uint64_t kMark = 0x1122334455667788;
  for (const bool v4 : {true, false}) {
    for (const uint16_t size : std::initializer_list<uint16_t>{64, 65, 1420, 65535}) {
      std::vector<uint8_t> message = echo_request(v4, size, kMark);
      ASSERT_EQ(message.size() + ip_header_size(v4), size);
      EXPECT_FALSE(answered_size(message, v4, kMark)) << "a request";
      message[0] = v4 ? 0 : 129;
      EXPECT_EQ(answered_size(message, v4, kMark), size);
      EXPECT_FALSE(answered_size(message, v4, kMark + 1)) << "another's";
      std::vector<uint8_t> longer = message;
      longer.push_back(0);
      EXPECT_FALSE(answered_size(longer, v4, kMark));
      message.back() ^= 1;
      EXPECT_FALSE(answered_size(message, v4, kMark)) << "changed on the way";
      message.pop_back();
      EXPECT_FALSE(answered_size(message, v4, kMark));
    }
    EXPECT_FALSE(answered_size({}, v4, kMark));
  }
  const std::vector<uint8_t> request = echo_request(true, 100, kMark);
  EXPECT_EQ(checksum_finish(checksum_add(0, request)), 0);
}

TEST(Doctor, SaysTheSameAsJson) {
  Facts facts = healthy();
  is_not_there(facts);
  const auto json = report_json("wg0", diagnose(facts));
  EXPECT_EQ(json["interface"], "wg0");
  EXPECT_EQ(json["findings"].at(0)["code"], "port_closed");
  EXPECT_FALSE(json["findings"].at(0)["saw"].empty());
  EXPECT_FALSE(json["findings"].at(0)["do"].empty());
  EXPECT_FALSE(json["well"].empty());
}

}  // namespace
}  // namespace adit::doctor
