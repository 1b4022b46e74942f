// What outlives the gateway's process, so that a restart is a short stall and not an end: flows, with the ports that
// services know them by, and where peers were heard of last.
//
// How it works.  A gateway that is stopped while there are flows writes a file beside its control socket; the next one
// goes on from there and empties it.  Keys and counters of sessions are never written: a nonce must not be used twice,
// and who could read the file could read the traffic.  So the first thing sent to each peer is a handshake, one round
// trip.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.h"
#include "forward/forwarder.h"
#include "net/fd.h"
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

/// The file, for the owner's eyes only.  It is open as long as the gateway runs, and empty meanwhile: so writing it in
/// the end takes no right to make files.  What is written in part, because its writer was killed, reads as nothing.
class StateFile {
 public:
  /// Makes it unless it is there.  Throws std::system_error; std::runtime_error when it is another user's.
  explicit StateFile(std::filesystem::path file);
  /// Takes it away when it is empty.
  ~StateFile();
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  /// What another gateway has written; nothing when none has.  Throws std::runtime_error when it is something else.
  [[nodiscard]] std::optional<SavedState> read() const;
  /// All of these throw std::system_error.
  void clear();
  void write(const SavedState& state);

 private:
  [[nodiscard]] off_t size() const;

  std::filesystem::path file_;
  Fd fd_;
};

}  // namespace adit::daemon
