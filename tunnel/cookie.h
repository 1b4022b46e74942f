// The two macs of handshake messages, and cookies (paper 5.3, 5.4.4, 5.4.7).
//
// mac1 shows that the sender knows our public key; it costs a hash and is always checked.  mac2 shows that the sender
// receives what is sent to its address; it is asked for when we are under load, by answering with a cookie.
#pragma once

#include <optional>

#include "net/addr.h"
#include "tunnel/messages.h"

namespace adit::tunnel {

using MacKey = crypto::Hash;
MacKey mac1_key(const crypto::PublicKey& responder) noexcept;
crypto::SymmetricKey cookie_key(const crypto::PublicKey& responder) noexcept;

/// The receiving side: ours, one per device.
class CookieChecker {
 public:
  explicit CookieChecker(const crypto::PublicKey& us) noexcept : mac1_key_(mac1_key(us)), cookie_key_(cookie_key(us)) {}

  /// `message` is a whole initiation or response: its last 32 bytes are the macs.
  [[nodiscard]] bool mac1_fits(ConstBytes message) const noexcept;
  /// Whether it claims to have had a cookie.
  [[nodiscard]] static bool has_mac2(ConstBytes message) noexcept;
  [[nodiscard]] bool mac2_fits(ConstBytes message, const Endpoint& from, Time now) noexcept;

  /// The answer to `message` from `from`: a cookie sealed so that only who sent the message can read it.
  void create_reply(ConstBytes message, uint32_t sender, const Endpoint& from, Time now,
                    CookieReplyMessage& reply) noexcept;

 private:
  [[nodiscard]] crypto::Mac cookie_for(const Endpoint& from, Time now) noexcept;

  MacKey mac1_key_;
  crypto::SymmetricKey cookie_key_;
  crypto::SymmetricKey secret_;
  std::optional<Time> secret_born_;
};

/// The sending side: one per peer.
class CookieJar {
 public:
  explicit CookieJar(const crypto::PublicKey& remote) noexcept
      : mac1_key_(mac1_key(remote)), cookie_key_(cookie_key(remote)) {}

  /// Whether a whole initiation or response was meant for this peer, by its mac1.
  [[nodiscard]] bool is_addressee(ConstBytes message) const noexcept;
  /// Fills the macs of a whole initiation or response.
  void add_macs(Bytes message, Time now) noexcept;
  /// A cookie reply is taken once per message sent.  False when it is none of ours.
  [[nodiscard]] bool consume_reply(const CookieReplyMessage& reply, Time now) noexcept;

 private:
  MacKey mac1_key_;
  crypto::SymmetricKey cookie_key_;
  std::optional<crypto::Mac> last_mac1_;  // of a message that may still be answered with a cookie
  crypto::Mac cookie_{};
  std::optional<Time> cookie_born_;
};

}  // namespace adit::tunnel
