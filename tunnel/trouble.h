// What went wrong with handshakes and addresses, as far as a person can mend it: kept for `adit doctor`, never acted
// on.
#pragma once

#include <optional>
#include <vector>

#include "crypto/keys.h"
#include "net/addr.h"
#include "net/drop.h"
#include "net/time.h"

namespace adit::tunnel {

/// Of one peer, since its last handshake.
struct PeerTrouble {
  /// The last initiation that was older than one before it: the peer's clock was put back, or somebody replays.
  struct OldInitiation {
    WallTime at;      // by our clock
    WallTime stamp;   // by the peer's
    WallTime newest;  // of the initiations that were taken, by the peer's
  };
  std::optional<OldInitiation> old_initiation;
  std::optional<Ip> wrong_source;  // the last inner source outside its allowed IPs
  uint32_t unconfirmed = 0;        // sessions that we answered and the peer never used
  uint32_t forged_responses = 0;   // answers to our initiations that did not decrypt
};

/// The last handshake that nobody we know has sent, of its kind.
struct Stranger {
  Drop why;  // kBadMac or kUnknownPeer
  WallTime at;
  Endpoint from;
  /// kUnknownPeer: the sender's.  kBadMac: that of the peer whom the message would have been for, if it is one.
  std::optional<crypto::PublicKey> key;
};

}  // namespace adit::tunnel
