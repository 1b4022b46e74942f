// `adit doctor` without a machine: gateways that are well, what a gateway says of itself, and how findings are told.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "daemon/doctor/gateway_state.h"
#include "tests/daemon/doctor_facts.h"

namespace adit::doctor {
namespace {

std::vector<Row> rows() {
  return {
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
  };
}

TEST(Doctor, FindsNoFaultWhereAllIsWell) { expect_diagnoses(rows()); }

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
