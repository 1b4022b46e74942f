// The four messages on the wire and the constants of the protocol, by the paper's names (WireGuard paper 5.4, 6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "crypto/aead.h"
#include "crypto/blake2s.h"
#include "crypto/keys.h"
#include "net/bytes.h"
#include "net/time.h"

namespace adit::tunnel {

// Times (paper 6.1) and the limits every implementation agrees on.
inline constexpr Duration kRekeyAfterTime = seconds(120);
inline constexpr Duration kRejectAfterTime = seconds(180);
inline constexpr Duration kRekeyTimeout = seconds(5);
inline constexpr Duration kRekeyAttemptTime = seconds(90);
inline constexpr Duration kKeepaliveTimeout = seconds(10);
inline constexpr Duration kMaxJitter = milliseconds(333);
inline constexpr Duration kZeroKeysAfterTime = 3 * kRejectAfterTime;
inline constexpr Duration kMinInitiationInterval = milliseconds(20);
inline constexpr unsigned kMaxHandshakeAttempts = kRekeyAttemptTime / kRekeyTimeout;
inline constexpr Duration kCookieSecretMaxAge = seconds(120);
inline constexpr Duration kCookieLatency = seconds(5);

/// Counters older than this many behind the newest are refused (RFC 6479 window of 8192 bits, one word of slack).
inline constexpr uint64_t kReplayWindow = 8192 - 64;
inline constexpr uint64_t kRekeyAfterMessages = uint64_t{1} << 60;
inline constexpr uint64_t kRejectAfterMessages = UINT64_MAX - kReplayWindow - 1;

inline constexpr size_t kMaxStagedPackets = 128;
inline constexpr size_t kPaddingMultiple = 16;
inline constexpr size_t kTimestampSize = 12;

/// The traffic class of initiations and responses: AF41, as the kernel's own WireGuard marks them.
inline constexpr uint8_t kHandshakeTos = 0x88;

constexpr size_t sealed_size(size_t text) { return text + crypto::kTagSize; }

enum class MessageType : uint8_t { kInitiation = 1, kResponse = 2, kCookieReply = 3, kData = 4 };

using WireKey = std::array<uint8_t, crypto::kKeySize>;
using WireU32 = std::array<uint8_t, 4>;  // little-endian

//    0        4         8            40                  88                      116    132    148
//   | type 000 | sender | ephemeral | sealed static key | sealed timestamp      | mac1 | mac2 |
struct InitiationMessage {
  WireU32 type;
  WireU32 sender;
  WireKey ephemeral;
  std::array<uint8_t, sealed_size(crypto::kKeySize)> sealed_static;
  std::array<uint8_t, sealed_size(kTimestampSize)> sealed_timestamp;
  crypto::Mac mac1;
  crypto::Mac mac2;
};
static_assert(sizeof(InitiationMessage) == 148);

//    0        4        8          12          44              60     76     92
//   | type 000 | sender | receiver | ephemeral | sealed empty | mac1 | mac2 |
struct ResponseMessage {
  WireU32 type;
  WireU32 sender;
  WireU32 receiver;
  WireKey ephemeral;
  std::array<uint8_t, sealed_size(0)> sealed_empty;
  crypto::Mac mac1;
  crypto::Mac mac2;
};
static_assert(sizeof(ResponseMessage) == 92);

//    0        4          8       32              64
//   | type 000 | receiver | nonce | sealed cookie |
struct CookieReplyMessage {
  WireU32 type;
  WireU32 receiver;
  std::array<uint8_t, crypto::kXNonceSize> nonce;
  std::array<uint8_t, sealed_size(crypto::kMacSize)> sealed_cookie;
};
static_assert(sizeof(CookieReplyMessage) == 64);

//    0        4          8         16
//   | type 000 | receiver | counter | sealed packet, padded to 16 |
struct DataHeader {
  WireU32 type;
  WireU32 receiver;
  std::array<uint8_t, 8> counter;  // little-endian
};
static_assert(sizeof(DataHeader) == 16);

/// The smallest data message: a keepalive, which seals nothing.
inline constexpr size_t kMinDataSize = sizeof(DataHeader) + crypto::kTagSize;
/// What the tunnel adds to a padded inner packet.
inline constexpr size_t kDataOverhead = kMinDataSize;

/// A message in place.  The bytes are at least sizeof(Message).
template <typename Message>
Message& message_in(Bytes bytes) noexcept {
  static_assert(alignof(Message) == 1);
  return *reinterpret_cast<Message*>(bytes.data());
}
template <typename Message>
const Message& message_in(ConstBytes bytes) noexcept {
  static_assert(alignof(Message) == 1);
  return *reinterpret_cast<const Message*>(bytes.data());
}

/// A message's own bytes.
template <typename Message>
ConstBytes bytes_of(const Message& message) noexcept {
  return {reinterpret_cast<const uint8_t*>(&message), sizeof message};
}

inline void put_u32(WireU32& field, uint32_t value) noexcept { store_le32(field.data(), value); }
inline uint32_t get_u32(const WireU32& field) noexcept { return load_le32(field.data()); }
inline void put_type(WireU32& field, MessageType type) noexcept { put_u32(field, static_cast<uint32_t>(type)); }

}  // namespace adit::tunnel
