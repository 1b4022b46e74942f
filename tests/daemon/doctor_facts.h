// What `adit doctor` looks at, made up: a healthy gateway, what may be wrong with it, and tables of faults.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/report.h"

namespace adit::doctor {

inline constexpr UnixTime kNow = 1'700'000'000;

inline std::string key(uint8_t first) { return crypto::key_to_base64({first}); }

inline PeerState home() {
  PeerState peer;
  peer.name = "home";
  peer.public_key = key(2);
  peer.endpoint = Endpoint::parse("198.51.100.2:342");
  peer.allowed_ips = {*Prefix::parse("10.1.2.2/32")};
  peer.latest_handshake = kNow - 12;
  peer.received_bytes = 1000;
  return peer;
}

inline GatewayState gateway() {
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

inline config::Config config_of_vps() {
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
inline Facts healthy() {
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

inline PeerState& peer(Facts& facts) { return facts.after->peers[0]; }

/// Home does not answer; it never did, and it is the one that calls.
inline void is_not_there(Facts& facts) {
  facts.pings.clear();
  facts.before->peers[0].latest_handshake = peer(facts).latest_handshake = {};
  facts.before->peers[0].endpoint = peer(facts).endpoint = {};
}

inline void was_called_by(Facts& facts, const std::string& drop, const std::string& whose) {
  facts.after->strangers = {{drop, kNow - 3, *Endpoint::parse("198.51.100.2:342"), whose}};
  facts.after->drops[drop] = 2;
}

/// One fault, or something that is none, in a healthy gateway.
struct Row {
  const char* name;
  std::function<void(Facts&)> fault;
  std::vector<Code> expected;
  std::string text;  // that is said
};

/// Each row's findings are those that it expects and no others, and all say what was seen and what to do.
inline void expect_diagnoses(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Facts facts = healthy();
    row.fault(facts);
    const Diagnosis diagnosis = diagnose(facts);
    std::vector<Code> found;
    for (const Finding& finding : diagnosis.findings) {
      found.push_back(finding.code);
      EXPECT_FALSE(finding.saw.empty()) << row.name;
      EXPECT_FALSE(finding.to_do.empty()) << row.name;
    }
    const std::string said = report_text("wg0", diagnosis);
    EXPECT_EQ(found, row.expected) << row.name << "\n" << said;
    EXPECT_NE(said.find(row.text), std::string::npos) << row.name << "\n" << said;
  }
}

}  // namespace adit::doctor
