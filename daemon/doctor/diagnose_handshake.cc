// Whether a peer is there, and why not: from what it sent, from what strangers sent, from what came back of ours.

#include <algorithm>
#include <cerrno>

#include "crypto/x25519.h"
#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/gateway_state.h"
#include "daemon/doctor/handshake_findings.h"
#include "daemon/text.h"

namespace adit::doctor {
namespace {

/// Initiators begin anew after two minutes, while there is anything to send.
constexpr UnixTime kRekeyAge = 130;

/// The last stranger who may be this peer: it came after the peer's last handshake, and not long ago.
const StrangerState* likely_stranger(const PeerCase& given) {
  const StrangerState* likely = nullptr;
  for (const StrangerState& each : given.facts.after->strangers) {
    const bool is_fresh =
        given.facts.now - each.at <= kSessionAge && each.at >= given.peer.latest_handshake.value_or(0);
    if (is_fresh && (likely == nullptr || each.at > likely->at)) likely = &each;
  }
  return likely;
}

/// What somebody has written as a public key, taken for a private one.
bool is_private_key_of(const std::string& written, const std::string& public_key) {
  const auto bytes = crypto::key_from_base64(written);
  return bytes && crypto::public_key_of(crypto::PrivateKey(*bytes)).to_base64() == public_key;
}

Finding of_stranger(const PeerCase& given, const StrangerState& stranger) {
  if (stranger.drop == "bad_mac") return wrong_key_there(given, stranger);
  const bool is_private = is_private_key_of(given.peer.public_key, stranger.key);
  return is_private ? private_for_public(given, stranger) : wrong_key_here(given, stranger);
}

Finding of_our_calls(const PeerCase& given) {
  const EndpointProbe* probe = given.probe();
  if (probe != nullptr && !probe->lookup_error.empty()) return lost_name(given);
  if (probe != nullptr && probe->send_error != 0 && probe->send_error != ECONNREFUSED) return unreachable(given);
  if (!is_called_by_us(given.facts.config, given.peer)) return lost_caller(given);
  return given.facts.machine.newer_file ? own_clock(given) : no_answer(given);
}

Finding why_dead(const PeerCase& given) {
  const StrangerState* const stranger = likely_stranger(given);
  const auto& old = given.peer.old_initiation;
  if (old && (stranger == nullptr || old->at > stranger->at)) return clock_of_peer(given);
  if (given.peer.unconfirmed > 0 || given.peer.forged_responses > 0) return wrong_psk(given);
  if (stranger != nullptr) return of_stranger(given, *stranger);
  const EndpointProbe* probe = given.probe();
  if (!given.peer.endpoint && probe != nullptr && !probe->lookup_error.empty()) return lost_name(given);
  if (given.peer.endpoint) return of_our_calls(given);
  return given.facts.after->drops.contains("unknown_index") ? old_session(given) : nobody_called(given);
}

}  // namespace

Life life_of(const Facts& facts, size_t index) {
  const PeerCase given = {facts, facts.after->peers[index], index};
  const bool has_answered =
      std::ranges::any_of(facts.pings, [&](const PingProbe& ping) { return ping.peer == index && ping.answered; });
  if (has_answered) return Life::kAlive;
  const bool has_session = given.has_called() && given.age() <= kSessionAge;
  // What comes from a wrong source is authentic, but not counted as received.
  const bool was_heard =
      given.peer.wrong_source || given.peer.received_bytes > facts.before->peers[index].received_bytes;
  if (has_session && (was_heard || !given.was_pinged())) return Life::kAlive;
  const bool was_asked = given.was_pinged() || given.peer.handshake_attempts > 0;
  const bool has_to_call = !given.has_called() && !given.peer.endpoint;
  return was_asked || has_to_call ? Life::kDead : Life::kUnknown;
}

void diagnose_handshake(const Facts& facts, size_t index, Life life, Diagnosis& diagnosis) {
  const PeerCase given = {facts, facts.after->peers[index], index};
  if (life == Life::kUnknown) {
    diagnosis.unseen.push_back("peer " + given.name() + ": nothing was sent to it, and nothing has to come (" +
                               given.handshake() + ")");
    return;
  }
  const bool ends_soon = given.peer.old_initiation && given.age() > kRekeyAge;
  if (life == Life::kDead) {
    Finding finding = why_dead(given);
    // One stranger explains one peer, and who has called nothing is silent for the same reason as the next.
    if (!diagnosis.has(finding.code) || finding.code == Code::kEndpointGone)
      diagnosis.findings.push_back(std::move(finding));
    return;
  }
  if (ends_soon) diagnosis.findings.push_back(clock_of_peer(given));
  const std::string where = given.peer.endpoint ? " with " + given.peer.endpoint->to_string() : "";
  diagnosis.well.push_back("peer " + given.name() + ": handshake " + daemon::ago_text(given.age()) + where);
}

}  // namespace adit::doctor
