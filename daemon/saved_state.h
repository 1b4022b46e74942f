// What outlives the gateway's process, so that a restart is a short stall and not an end: flows, with the ports that
// services know them by, and where peers were heard of last.
//
// How it works.  A gateway that is stopped while there are flows writes a file beside its control socket; the next one
// goes on from there and removes it.  Keys and counters of sessions are never written: a nonce must not be used twice,
// and who could read the file could read the traffic.  So the first thing sent to each peer is a handshake, one round
// trip.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.h"
#include "forward/forwarder.h"
#include "net/time.h"

namespace adit::daemon {

struct PeerPlace {
  crypto::PublicKey peer;
  Endpoint endpoint;
  bool operator==(const PeerPlace&) const noexcept = default;
};

struct SavedState {
  WallTime when{};
  std::vector<PeerPlace> peers;
  std::vector<forward::SavedFlow> flows;
  bool operator==(const SavedState&) const noexcept = default;
};

/// JSON.  Left out are flows and peers with link-local addresses: their scopes are numbers that a reboot changes.
std::string to_text(const SavedState& state);
/// Nothing for anything else than what to_text() has written.
std::optional<SavedState> parse_state(std::string_view text);

/// For the owner's eyes only, whole or not at all.  Throws std::system_error.
void write_state(const std::filesystem::path& file, const SavedState& state);
/// Nothing when there is no file; throws std::runtime_error when it is not what write_state() has written, or another
/// user's.
std::optional<SavedState> read_state(const std::filesystem::path& file);

}  // namespace adit::daemon
