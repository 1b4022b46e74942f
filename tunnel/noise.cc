#include "tunnel/noise.h"

#include <algorithm>
#include <string_view>

#include "crypto/kdf.h"
#include "crypto/random.h"
#include "crypto/x25519.h"

namespace adit::tunnel {
namespace {

using crypto::PublicKey;
using crypto::SharedSecret;
using crypto::SymmetricKey;

constexpr std::string_view kConstruction = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s";
constexpr std::string_view kIdentifier = "WireGuard v1 zx2c4 Jason@zx2c4.com";

// Of timestamps.
constexpr uint64_t kTaiBase = 0x400000000000000a;
constexpr int64_t kSecond = 1'000'000'000;

ConstBytes bytes_of_text(std::string_view text) noexcept {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void mix_hash(NoiseState& state, ConstBytes data) noexcept { state.hash = crypto::blake2s({state.hash, data}); }

void mix_key(NoiseState& state, ConstBytes input) noexcept {
  crypto::kdf1(state.chaining_key, input, state.chaining_key);
}

void mix_key(NoiseState& state, ConstBytes input, SymmetricKey& key) noexcept {
  crypto::kdf2(state.chaining_key, input, state.chaining_key, key.bytes());
}

/// An ephemeral key is hashed and, because there is a PSK in the pattern, mixed into the chaining key (paper 5.4.2).
void mix_ephemeral(NoiseState& state, const PublicKey& ephemeral) noexcept {
  mix_hash(state, ephemeral.bytes);
  mix_key(state, ephemeral.bytes);
}

/// False when the exchange has no usable result (a point of low order).
bool mix_exchange(NoiseState& state, const crypto::PrivateKey& ours, const PublicKey& theirs,
                  SymmetricKey& key) noexcept {
  SharedSecret secret;
  if (!crypto::exchange(ours, theirs, secret)) return false;
  mix_key(state, secret.bytes(), key);
  return true;
}

void mix_preshared(NoiseState& state, const crypto::PresharedKey& preshared, SymmetricKey& key) noexcept {
  SymmetricKey temporary;
  crypto::kdf3(state.chaining_key, preshared.bytes(), state.chaining_key, temporary.bytes(), key.bytes());
  mix_hash(state, temporary.bytes());
}

void seal_and_hash(NoiseState& state, const SymmetricKey& key, ConstBytes text, Bytes sealed) noexcept {
  crypto::seal(key, 0, state.hash, text, sealed);
  mix_hash(state, sealed);
}

bool open_and_hash(NoiseState& state, const SymmetricKey& key, ConstBytes sealed, Bytes text) noexcept {
  if (!crypto::open(key, 0, state.hash, sealed, text)) return false;
  mix_hash(state, sealed);
  return true;
}

/// Both sides begin by hashing the protocol's names and the responder's static key.
NoiseState initial_state(const PublicKey& responder) noexcept {
  NoiseState state;
  state.chaining_key = crypto::blake2s({bytes_of_text(kConstruction)});
  state.hash = crypto::blake2s({state.chaining_key, bytes_of_text(kIdentifier)});
  mix_hash(state, responder.bytes);
  return state;
}

/// The bits every X25519 key has alike (RFC 7748 5): set here, the key is shown as `wg` would show it, and two ways to
/// write one key are seen to be the same.
void clamp(crypto::PrivateKey& key) noexcept {
  key.bytes().front() &= 0xf8;
  key.bytes().back() = static_cast<uint8_t>((key.bytes().back() & 0x7f) | 0x40);
}

void wipe_state(NoiseState& state) noexcept {
  crypto::wipe(state.chaining_key);
  crypto::wipe(state.hash);
}

/// Wipes a state when the function that computed it ends, whichever way.
struct ScopedState : NoiseState {
  explicit ScopedState(const NoiseState& state) noexcept : NoiseState(state) {}
  ScopedState(const ScopedState&) = delete;
  ScopedState& operator=(const ScopedState&) = delete;
  ~ScopedState() { wipe_state(*this); }
};

}  // namespace

Identity::Identity(const crypto::PrivateKey& key) noexcept : private_key(key) {
  if (!has_key()) return;
  clamp(private_key);
  public_key = crypto::public_key_of(private_key);
}

OpenedInitiation::~OpenedInitiation() { wipe_state(state); }

Timestamp TimestampSource::next(WallTime now) noexcept {
  constexpr int64_t kRounding = 1 << 24;  // nanoseconds
  last_ = std::max(now, last_ + nanoseconds(kRounding));
  const int64_t since_epoch = last_.time_since_epoch().count();
  Timestamp timestamp;
  store_be64(timestamp.data(), kTaiBase + static_cast<uint64_t>(since_epoch / kSecond));
  store_be32(timestamp.data() + 8, static_cast<uint32_t>(since_epoch % kSecond / kRounding * kRounding));
  return timestamp;
}

/// Peers write what they like: what no clock of ours can say becomes the end of its range.
WallTime time_of(const Timestamp& timestamp) noexcept {
  constexpr auto kMost = static_cast<uint64_t>(WallTime::max().time_since_epoch().count() / kSecond - 1);
  const uint64_t label = load_be64(timestamp.data());
  const uint64_t since_epoch = label < kTaiBase ? 0 : std::min(label - kTaiBase, kMost);
  return WallTime(seconds(static_cast<int64_t>(since_epoch)));
}

/// Computed when it is first needed, so that thousands of peers are configured in a moment.
const SharedSecret& Handshake::static_static(const Identity& us) noexcept {
  if (static_static_known_) return static_static_;
  static_static_known_ = true;
  if (!us.has_key() || !crypto::exchange(us.private_key, remote_static_, static_static_)) static_static_.clear();
  return static_static_;
}

void Handshake::identity_changed() noexcept {
  clear();
  static_static_.clear();
  static_static_known_ = false;
}

Handshake::~Handshake() { clear(); }

void Handshake::clear() noexcept {
  stage_ = Stage::kIdle;
  wipe_state(state_);
  ephemeral_.clear();
  remote_ephemeral_ = {};
  local_index_ = remote_index_ = 0;
}

bool Handshake::create_initiation(const Identity& us, uint32_t local_index, const Timestamp& timestamp,
                                  InitiationMessage& message) noexcept {
  const SharedSecret& ss = static_static(us);
  if (ss.is_zero()) return false;
  ScopedState state(initial_state(remote_static_));
  SymmetricKey key;

  // e
  const crypto::PrivateKey ephemeral = crypto::generate_private_key();
  message.ephemeral = crypto::public_key_of(ephemeral).bytes;
  mix_ephemeral(state, {message.ephemeral});
  // es
  if (!mix_exchange(state, ephemeral, remote_static_, key)) return false;
  // s
  seal_and_hash(state, key, us.public_key.bytes, message.sealed_static);
  // ss
  mix_key(state, ss.bytes(), key);
  // {t}
  seal_and_hash(state, key, timestamp, message.sealed_timestamp);

  put_type(message.type, MessageType::kInitiation);
  put_u32(message.sender, local_index);
  state_ = state;
  ephemeral_ = ephemeral;
  local_index_ = local_index;
  stage_ = Stage::kInitiationCreated;
  return true;
}

std::optional<OpenedInitiation> open_initiation(const Identity& us, const InitiationMessage& message) noexcept {
  OpenedInitiation opened{initial_state(us.public_key), {}, {message.ephemeral}};
  SymmetricKey key;
  // e
  mix_ephemeral(opened.state, opened.remote_ephemeral);
  // es
  if (!mix_exchange(opened.state, us.private_key, opened.remote_ephemeral, key)) return {};
  // s
  if (!open_and_hash(opened.state, key, message.sealed_static, opened.remote_static.bytes)) return {};
  return opened;
}

Drop Handshake::consume_initiation(const Identity& us, const OpenedInitiation& opened, const InitiationMessage& message,
                                   Time now) noexcept {
  const SharedSecret& ss = static_static(us);
  if (ss.is_zero()) return Drop::kForgedHandshake;
  ScopedState state(opened.state);
  SymmetricKey key;
  Timestamp timestamp;
  // ss
  mix_key(state, ss.bytes(), key);
  // {t}
  if (!open_and_hash(state, key, message.sealed_timestamp, timestamp)) return Drop::kForgedHandshake;
  if (timestamp < last_timestamp_) refused_timestamp_ = timestamp;
  if (timestamp <= last_timestamp_) return Drop::kReplayedInitiation;
  if (last_consumed_ && now - *last_consumed_ < kMinInitiationInterval) return Drop::kReplayedInitiation;

  last_timestamp_ = timestamp;
  refused_timestamp_.reset();
  last_consumed_ = now;
  state_ = state;
  remote_ephemeral_ = opened.remote_ephemeral;
  remote_index_ = get_u32(message.sender);
  stage_ = Stage::kInitiationConsumed;
  return Drop::kNone;
}

bool Handshake::create_response(uint32_t local_index, ResponseMessage& message) noexcept {
  if (stage_ != Stage::kInitiationConsumed) return false;
  ScopedState state(state_);
  SymmetricKey key;

  // e
  const crypto::PrivateKey ephemeral = crypto::generate_private_key();
  message.ephemeral = crypto::public_key_of(ephemeral).bytes;
  mix_ephemeral(state, {message.ephemeral});
  // ee
  if (!mix_exchange(state, ephemeral, remote_ephemeral_, key)) return false;
  // se
  if (!mix_exchange(state, ephemeral, remote_static_, key)) return false;
  // psk
  mix_preshared(state, preshared_, key);
  // {}
  seal_and_hash(state, key, {}, message.sealed_empty);

  put_type(message.type, MessageType::kResponse);
  put_u32(message.sender, local_index);
  put_u32(message.receiver, remote_index_);
  state_ = state;
  local_index_ = local_index;
  stage_ = Stage::kResponseCreated;
  return true;
}

bool Handshake::consume_response(const Identity& us, const ResponseMessage& message) noexcept {
  if (stage_ != Stage::kInitiationCreated) return false;
  ScopedState state(state_);
  const PublicKey remote_ephemeral{message.ephemeral};
  SymmetricKey key;
  // e
  mix_ephemeral(state, remote_ephemeral);
  // ee
  if (!mix_exchange(state, ephemeral_, remote_ephemeral, key)) return false;
  // se
  if (!mix_exchange(state, us.private_key, remote_ephemeral, key)) return false;
  // psk
  mix_preshared(state, preshared_, key);
  // {}
  if (!open_and_hash(state, key, message.sealed_empty, {})) return false;

  state_ = state;
  remote_index_ = get_u32(message.sender);
  stage_ = Stage::kResponseConsumed;
  return true;
}

Keypairs::Slot Handshake::begin_session(Time now) {
  if (stage_ != Stage::kResponseCreated && stage_ != Stage::kResponseConsumed) return nullptr;
  auto keypair = std::make_unique<Keypair>();
  keypair->initiator = stage_ == Stage::kResponseConsumed;
  // The first key is the initiator's to send with (paper 5.4.5).
  SymmetricKey& first = keypair->initiator ? keypair->sending : keypair->receiving;
  SymmetricKey& second = keypair->initiator ? keypair->receiving : keypair->sending;
  crypto::kdf2(state_.chaining_key, {}, first.bytes(), second.bytes());
  keypair->local_index = local_index_;
  keypair->remote_index = remote_index_;
  keypair->created = now;
  clear();
  return keypair;
}

}  // namespace adit::tunnel
