// The handshake: Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (WireGuard paper 5.4.2 to 5.4.5).
//
//     initiator                                 responder
//     create_initiation   e, es, s, ss, {t}  ->  open_initiation, consume_initiation
//     consume_response    <-  e, ee, se, psk, {} create_response
//     begin_session                              begin_session
//
// A Handshake is one peer's; it computes in locals and changes nothing until every check has passed.  The macs at the
// end of the messages are cookie.h's.
#pragma once

#include <optional>

#include "net/drop.h"
#include "tunnel/keypair.h"
#include "tunnel/messages.h"

namespace adit::tunnel {

/// TAI64N, big-endian: bytes compare as times do (paper 5.1).
using Timestamp = std::array<uint8_t, kTimestampSize>;

/// Our side of every handshake.
struct Identity {
  Identity() noexcept = default;
  explicit Identity(const crypto::PrivateKey& key) noexcept;

  /// Without a key there are no handshakes.
  [[nodiscard]] bool has_key() const noexcept { return !private_key.is_zero(); }

  crypto::PrivateKey private_key;  // clamped, or all zero: none
  crypto::PublicKey public_key;    // all zero without a private key
};

/// Timestamps for initiations: rounded so that they tell little about the clock (16.7 ms), and strictly growing even
/// when the clock jumps back, so that a peer never takes a fresh initiation for a replay.
class TimestampSource {
 public:
  Timestamp next(WallTime now) noexcept;

 private:
  WallTime last_{};
};

/// What a timestamp says, if it is the time of a clock at all.
WallTime time_of(const Timestamp& timestamp) noexcept;

/// The symmetric state of Noise: what both sides have agreed on so far.
struct NoiseState {
  crypto::Hash chaining_key{};
  crypto::Hash hash{};
};

/// An initiation of which `e, es, s` are done: now it is known which peer it claims to come from.
struct OpenedInitiation {
  NoiseState state;
  crypto::PublicKey remote_static;
  crypto::PublicKey remote_ephemeral;
  ~OpenedInitiation();
};
std::optional<OpenedInitiation> open_initiation(const Identity& us, const InitiationMessage& message) noexcept;

class Handshake {
 public:
  enum class Stage : uint8_t { kIdle, kInitiationCreated, kInitiationConsumed, kResponseCreated, kResponseConsumed };

  /// `remote` is the peer's static key.
  explicit Handshake(const crypto::PublicKey& remote) noexcept : remote_static_(remote) {}
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  void set_preshared_key(const crypto::PresharedKey& key) noexcept { preshared_ = key; }
  [[nodiscard]] const crypto::PresharedKey& preshared_key() const noexcept { return preshared_; }
  /// Our static key is another one: what was begun or computed with the old one is void.
  void identity_changed() noexcept;

  /// Fills all but the macs.  False when no handshake with this peer is possible (its key is of low order).
  [[nodiscard]] bool create_initiation(const Identity& us, uint32_t local_index, const Timestamp& timestamp,
                                       InitiationMessage& message) noexcept;
  /// Drop::kNone when the initiation is this peer's and fresh; create_response() comes next.
  [[nodiscard]] Drop consume_initiation(const Identity& us, const OpenedInitiation& opened,
                                        const InitiationMessage& message, Time now) noexcept;
  /// Fills all but the macs.
  [[nodiscard]] bool create_response(uint32_t local_index, ResponseMessage& message) noexcept;
  /// False, and nothing changed, when the response is not the answer to our initiation.
  [[nodiscard]] bool consume_response(const Identity& us, const ResponseMessage& message) noexcept;
  /// The keys agreed on, after create_response() or consume_response().  The handshake is idle again.
  [[nodiscard]] Keypairs::Slot begin_session(Time now);

  /// Forgets a handshake under way; not the last timestamp, which guards against replays as long as the peer exists.
  void clear() noexcept;

  [[nodiscard]] Stage stage() const noexcept { return stage_; }
  [[nodiscard]] uint32_t local_index() const noexcept { return local_index_; }
  /// Of the last initiation that was taken; all zero before the first.
  [[nodiscard]] const Timestamp& last_timestamp() const noexcept { return last_timestamp_; }
  /// Of the last initiation that was refused because it is older than that one, until one is taken.
  [[nodiscard]] const std::optional<Timestamp>& refused_timestamp() const noexcept { return refused_timestamp_; }

 private:
  const crypto::SharedSecret& static_static(const Identity& us) noexcept;

  Stage stage_ = Stage::kIdle;
  bool static_static_known_ = false;
  const crypto::PublicKey remote_static_;
  crypto::PresharedKey preshared_;
  crypto::SharedSecret static_static_;  // all zero: no handshake with this peer
  NoiseState state_;
  crypto::PrivateKey ephemeral_;
  crypto::PublicKey remote_ephemeral_;
  uint32_t local_index_ = 0;
  uint32_t remote_index_ = 0;
  Timestamp last_timestamp_{};
  std::optional<Timestamp> refused_timestamp_;
  std::optional<Time> last_consumed_;
};

}  // namespace adit::tunnel
