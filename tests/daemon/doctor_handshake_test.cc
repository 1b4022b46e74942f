// `adit doctor` of a peer that is not there.
#include <gtest/gtest.h>

#include <cerrno>

#include "crypto/x25519.h"
#include "tests/daemon/doctor_facts.h"

namespace adit::doctor {
namespace {

/// Home does not answer where the file says that it is called.
void is_called_in_vain(Facts& facts) {
  is_not_there(facts);
  peer(facts).endpoint = Endpoint::parse("198.51.100.2:342");
  peer(facts).handshake_attempts = 3;
  facts.config->peers[0].endpoint = config::PeerEndpoint{"home.example", 342};
  facts.endpoints = {{.peer = 0, .name = "home.example", .lookup_error = "", .addresses = {}, .send_error = 0}};
}

std::string public_key_of(const std::string& private_key) {
  return crypto::public_key_of(crypto::PrivateKey(*crypto::key_from_base64(private_key))).to_base64();
}

std::vector<Row> handshake_rows() {
  return {
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
  };
}

TEST(DoctorHandshake, NamesEachFaultAndNothingElse) { expect_diagnoses(handshake_rows()); }

TEST(DoctorHandshake, OfTwoPeersThatAreNotThereSaysOnceThatNobodyCalled) {
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

}  // namespace
}  // namespace adit::doctor
