// Sessions: the two keys a handshake leads to, and the three slots a peer keeps them in.
#pragma once

#include <array>
#include <memory>

#include "tunnel/messages.h"
#include "tunnel/replay.h"

namespace adit::tunnel {

/// One session.  Sending and receiving are independent: after our private key changed we no longer send with it, yet
/// still understand what is on its way.
struct alignas(kCacheLine) Keypair {
  crypto::SymmetricKey sending;
  crypto::SymmetricKey receiving;
  uint32_t local_index = 0;   // what the peer writes as receiver
  uint32_t remote_index = 0;  // what we write
  uint64_t serial = 0;        // no two sessions of a Tunnel have the same
  Time created{};
  bool initiator = false;
  bool last_minute_rekey = false;  // already asked for a successor because the peer still talks on it
  uint64_t send_counter = 0;       // next nonce
  ReplayWindow replay;

  [[nodiscard]] Duration age(Time now) const noexcept { return now - created; }
  [[nodiscard]] bool may_send(Time now) const noexcept {
    return age(now) < kRejectAfterTime && send_counter < kRejectAfterMessages;
  }
  [[nodiscard]] bool may_receive(Time now) const noexcept { return age(now) < kRejectAfterTime; }
  /// Nothing is sent with it from now on, however young it is.
  void stop_sending() noexcept {
    send_counter = kRejectAfterMessages;
    sending.clear();
  }
  /// Has what sending and receiving need brought near, but for the replay window.
  void prefetch() const noexcept {
    __builtin_prefetch(this);
    __builtin_prefetch(reinterpret_cast<const char*>(this) + kCacheLine);
  }
  /// The next nonce; each is given out once.  may_send() must hold, or the process ends: a repeated nonce would give
  /// the key away.
  uint64_t take_nonce() noexcept;
};

/// previous, current and next.  All three receive; only current sends.  A session we answered waits in `next` until the
/// peer has used it; `next` and `previous` are never filled at once.
class Keypairs {
 public:
  using Slot = std::unique_ptr<Keypair>;
  /// The local indices of sessions that ended, 0 for none: the caller gives them back.
  using Ended = std::array<uint32_t, 3>;

  /// A session we initiated: it is confirmed by the response, and sends at once.
  Ended add_as_initiator(Slot fresh) noexcept;
  /// A session we answered.
  Ended add_as_responder(Slot fresh) noexcept;
  /// A packet was accepted on `keypair`.  If that is `next` it becomes current, and true is returned.
  bool received_with(const Keypair* keypair) noexcept;
  /// Our private key changed: what is on its way is still understood, but nothing more is sent.
  void stop_sending() noexcept;
  /// Empties all three slots.
  Ended clear() noexcept;

  [[nodiscard]] Keypair* find(uint32_t local_index) const noexcept;
  [[nodiscard]] Keypair* current() const noexcept { return current_.get(); }
  [[nodiscard]] const Keypair* next() const noexcept { return next_.get(); }
  [[nodiscard]] const Keypair* previous() const noexcept { return previous_.get(); }

 private:
  Slot previous_;
  Slot current_;
  Slot next_;
};

}  // namespace adit::tunnel
