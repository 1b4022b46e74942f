#include "daemon/doctor/diagnose.h"

#include <algorithm>

#include "config/problems.h"
#include "daemon/doctor/gateway_state.h"

namespace adit::doctor {
namespace {

using config::counted;

/// As far as it shows: what runs is what the file says.
bool is_as_written(const config::Config& config, const GatewayState& gateway) {
  const auto is_same_peer = [](const config::Peer& written, const PeerState& peer) {
    return written.public_key.to_base64() == peer.public_key;
  };
  const auto is_same_forward = [](const config::Forward& written, const ForwardState& forward) {
    return written.name == forward.name && written.to == forward.to && written.max_flows == forward.max_flows;
  };
  const uint16_t port = config.interface.listen_port;
  return (port == 0 || port == gateway.listen_port) && std::ranges::equal(config.peers, gateway.peers, is_same_peer) &&
         std::ranges::equal(config.forwards, gateway.forwards, is_same_forward);
}

void note_gateway(const Facts& facts, Diagnosis& diagnosis) {
  const GatewayState& gateway = *facts.after;
  if (facts.config) {
    diagnosis.well.push_back("configuration " + facts.config_file + ": " + counted(facts.config->peers.size(), "peer") +
                             ", " + counted(facts.config->forwards.size(), "forward"));
  }
  if (facts.config && !is_as_written(*facts.config, gateway)) {
    diagnosis.unseen.push_back("what " + facts.config_file + " says now: adit runs with what it said before (" +
                               "adit reload " + facts.interface + ")");
  }
  diagnosis.well.push_back("adit runs: " + gateway.name + ", udp port " + std::to_string(gateway.listen_port));
  if (!gateway.tun) diagnosis.unseen.push_back("what is behind the tunnel: without a tun device nothing can be pinged");
}

}  // namespace

Diagnosis diagnose(const Facts& facts) {
  Diagnosis diagnosis;
  if (!facts.after) {
    diagnose_start(facts, diagnosis);
    return diagnosis;
  }
  note_gateway(facts, diagnosis);
  const std::vector<bool> needed = needed_peers(*facts.after, facts.config);
  for (size_t peer = 0; peer < needed.size(); ++peer) {
    const Life life = life_of(facts, peer);
    if (!needed[peer] && life != Life::kAlive) {
      diagnosis.unseen.push_back("peer " + name_of(facts.after->peers[peer]) +
                                 ": not there now; no forward leads to it, so it may come and go");
      continue;
    }
    diagnose_handshake(facts, peer, life, diagnosis);
    if (life == Life::kAlive && diagnose_tunnel(facts, peer, diagnosis)) diagnose_services(facts, peer, diagnosis);
  }
  diagnose_players(facts, diagnosis);
  return diagnosis;
}

}  // namespace adit::doctor
