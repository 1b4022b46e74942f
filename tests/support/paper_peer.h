// A WireGuard peer a second time, written straight from the paper (5.4) on libsodium and BLAKE2s, sharing nothing with
// tunnel/: what both get wrong in the same way they would have to get wrong twice.  It checks nothing it need not,
// keeps one session, and lets a test choose every value.  A copy of it is a peer that keeps an older session.
#pragma once

#include <sodium.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "crypto/keys.h"
#include "net/bytes.h"

namespace adit::tunnel {

using Message = std::vector<uint8_t>;

class PaperPeer {
 public:
  using Key = std::array<uint8_t, 32>;
  using Mac = std::array<uint8_t, 16>;
  using Tai64n = std::array<uint8_t, 12>;

  /// A peer with a fresh key whose counterpart is `remote`.
  explicit PaperPeer(const crypto::PublicKey& remote, const Key& preshared_key = {});
  [[nodiscard]] crypto::PublicKey public_key() const { return {static_public}; }

  /// A handshake we begin.  Later timestamps are larger; without one each is a second after the last.
  Message initiation() { return initiation(timestamp(++seconds_)); }
  Message initiation(const Tai64n& time);
  [[nodiscard]] bool consume_response(ConstBytes message);

  /// A handshake we answer.
  [[nodiscard]] bool consume_initiation(ConstBytes message);
  Message response();

  /// A data message on the session agreed on last, with the next counter or one of the caller's.
  Message data(ConstBytes text) { return data(counter++, text); }
  [[nodiscard]] Message data(uint64_t with_counter, ConstBytes text) const;
  Message keepalive() { return data({}); }
  [[nodiscard]] std::optional<Message> open(ConstBytes message) const;

  /// A cookie reply to the last message of ours, whose cookie goes into the mac2 of the following ones.
  [[nodiscard]] bool consume_cookie_reply(ConstBytes message);
  /// What somebody who has our public key can answer to a message that was sent to us.
  [[nodiscard]] Message cookie_reply(ConstBytes to, const Mac& with_cookie) const;

  /// Makes the macs at the end of a message right again after its other bytes were changed.
  void sign(Message& message);
  static Tai64n timestamp(uint64_t seconds, uint32_t nanoseconds = 0);

  Key static_private, static_public, remote_static, preshared;
  Key ephemeral_private{};  // drawn anew for every message unless fixed
  bool fixed_ephemeral = false;
  std::optional<Key> low_order_ephemeral;  // sent instead of an honest one; every exchange with it is zero
  bool low_order_static = false;           // static_public is such a key
  uint32_t index = 0x01020300;             // of the latest handshake; the next one's is one more
  uint32_t remote_index = 0;
  Key sending{}, receiving{};
  uint64_t counter = 0;
  std::optional<Mac> cookie;
  Tai64n remote_time{};  // of the initiation consumed last

 private:
  Key new_ephemeral();
  [[nodiscard]] Key ephemeral_exchange(const Key& remote) const;
  [[nodiscard]] Key static_exchange(const Key& remote) const;
  void mix_hash(ConstBytes data);
  void mix_key(ConstBytes input, Key* key = nullptr);
  void mix_preshared(Key& key);
  void start(const Key& responder);
  void seal(const Key& key, ConstBytes text, Message& out);
  bool open_handshake(const Key& key, ConstBytes sealed, uint8_t* out);
  void derive(bool initiator);

  Key chaining_key_{}, hash_{};
  Key remote_ephemeral_{};
  Mac last_mac1_{};
  uint64_t seconds_ = 1'000'000'000;
};

}  // namespace adit::tunnel
