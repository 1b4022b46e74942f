// What can be said of a peer that is not there, one function for each fault; diagnose_handshake.cc chooses.
#pragma once

#include <string>

#include "daemon/doctor/diagnosis.h"
#include "daemon/doctor/facts.h"

namespace adit::doctor {

/// A peer, and all that is known; lives no longer than the facts.
struct PeerCase {
  const Facts& facts;
  const PeerState& peer;
  size_t index;

  [[nodiscard]] std::string name() const;
  [[nodiscard]] UnixTime age() const { return facts.now - peer.latest_handshake.value_or(0); }
  [[nodiscard]] bool has_called() const { return peer.latest_handshake.has_value(); }
  /// When there was one, in words.
  [[nodiscard]] std::string handshake() const;
  [[nodiscard]] std::string port() const { return std::to_string(facts.after->listen_port); }
  /// nullptr where none was made.
  [[nodiscard]] const EndpointProbe* probe() const;
  [[nodiscard]] bool was_pinged() const;
};

// Of what came.
Finding clock_of_peer(const PeerCase& given);
Finding wrong_psk(const PeerCase& given);
/// What was written here as its public key is its private one.
Finding private_for_public(const PeerCase& given, const StrangerState& stranger);
Finding wrong_key_here(const PeerCase& given, const StrangerState& stranger);
Finding wrong_key_there(const PeerCase& given, const StrangerState& stranger);
Finding old_session(const PeerCase& given);
Finding nobody_called(const PeerCase& given);

// Of what was sent; its endpoint is known, but for lost_name().
Finding lost_name(const PeerCase& given);
Finding unreachable(const PeerCase& given);
/// A peer that once called from there, and that nobody told us how to call.
Finding lost_caller(const PeerCase& given);
Finding own_clock(const PeerCase& given);
Finding no_answer(const PeerCase& given);

}  // namespace adit::doctor
