#include "tests/support/paper_peer.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "crypto/blake2s.h"

namespace adit::tunnel {
namespace {

using Key = PaperPeer::Key;

constexpr size_t kMac1FromEnd = 32;
constexpr size_t kMac2FromEnd = 16;

ConstBytes bytes_of_text(std::string_view text) { return {reinterpret_cast<const uint8_t*>(text.data()), text.size()}; }

/// DH(private, public); zero, as it comes, for points of low order.
Key dh(const Key& secret, const Key& remote) {
  Key out{};
  return crypto_scalarmult(out.data(), secret.data(), remote.data()) == 0 ? out : Key{};
}

Key public_of(const Key& secret) {
  Key out;
  crypto_scalarmult_base(out.data(), secret.data());
  return out;
}

Key random_key() {
  Key key;
  randombytes_buf(key.data(), key.size());
  return key;
}

/// The paper's KDF_n: HKDF whose input key is the chaining key.
std::vector<Key> kdf(size_t n, const Key& chaining_key, ConstBytes input) {
  const Key secret = crypto::hmac_blake2s(chaining_key, {input});
  std::vector<Key> out;
  Message block;
  for (size_t i = 1; i <= n; ++i) {
    block.push_back(static_cast<uint8_t>(i));
    out.push_back(crypto::hmac_blake2s(secret, {block}));
    block.assign(out.back().begin(), out.back().end());
  }
  return out;
}

std::array<uint8_t, 12> nonce_of(uint64_t counter) {
  std::array<uint8_t, 12> nonce{};
  store_le64(nonce.data() + 4, counter);
  return nonce;
}

template <size_t n>
std::array<uint8_t, n> array_at(ConstBytes bytes, size_t offset) {
  std::array<uint8_t, n> out;
  std::ranges::copy(bytes.subspan(offset, n), out.begin());
  return out;
}

void append(Message& message, ConstBytes bytes) { message.insert(message.end(), bytes.begin(), bytes.end()); }

void append_u32(Message& message, uint32_t value) {
  std::array<uint8_t, 4> bytes;
  store_le32(bytes.data(), value);
  append(message, bytes);
}

}  // namespace

PaperPeer::PaperPeer(const crypto::PublicKey& remote, const Key& preshared_key)
    : static_private(random_key()), remote_static(remote.bytes), preshared(preshared_key) {
  if (sodium_init() < 0) std::abort();
  static_public = public_of(static_private);
}

PaperPeer::Tai64n PaperPeer::timestamp(uint64_t seconds, uint32_t nanoseconds) {
  Tai64n time;
  store_be64(time.data(), 0x4000000000000000 + 10 + seconds);
  store_be32(time.data() + 8, nanoseconds);
  return time;
}

Key PaperPeer::new_ephemeral() {
  if (!fixed_ephemeral) ephemeral_private = random_key();
  return low_order_ephemeral.value_or(public_of(ephemeral_private));
}

Key PaperPeer::ephemeral_exchange(const Key& remote) const {
  return low_order_ephemeral ? Key{} : dh(ephemeral_private, remote);
}

Key PaperPeer::static_exchange(const Key& remote) const {
  return low_order_static ? Key{} : dh(static_private, remote);
}

void PaperPeer::mix_hash(ConstBytes data) { hash_ = crypto::blake2s({hash_, data}); }

void PaperPeer::mix_key(ConstBytes input, Key* key) {
  const std::vector<Key> out = kdf(key == nullptr ? 1 : 2, chaining_key_, input);
  chaining_key_ = out[0];
  if (key != nullptr) *key = out[1];
}

void PaperPeer::mix_preshared(Key& key) {
  const std::vector<Key> out = kdf(3, chaining_key_, preshared);
  chaining_key_ = out[0];
  mix_hash(out[1]);
  key = out[2];
}

void PaperPeer::start(const Key& responder) {
  chaining_key_ = crypto::blake2s({bytes_of_text("Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s")});
  hash_ = crypto::blake2s({chaining_key_, bytes_of_text("WireGuard v1 zx2c4 Jason@zx2c4.com")});
  mix_hash(responder);
}

void PaperPeer::seal(const Key& key, ConstBytes text, Message& out) {
  Message sealed(text.size() + 16);
  crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, text.data(), text.size(), hash_.data(),
                                            hash_.size(), nullptr, nonce_of(0).data(), key.data());
  mix_hash(sealed);
  append(out, sealed);
}

bool PaperPeer::open_handshake(const Key& key, ConstBytes sealed, uint8_t* out) {
  const bool ok =
      crypto_aead_chacha20poly1305_ietf_decrypt(out, nullptr, nullptr, sealed.data(), sealed.size(), hash_.data(),
                                                hash_.size(), nonce_of(0).data(), key.data()) == 0;
  mix_hash(sealed);
  return ok;
}

Message PaperPeer::initiation(const Tai64n& time) {
  Message message;
  append_u32(message, 1);
  append_u32(message, ++index);
  start(remote_static);
  const Key ephemeral = new_ephemeral();
  Key key;
  append(message, ephemeral);
  mix_key(ephemeral);
  mix_hash(ephemeral);
  mix_key(ephemeral_exchange(remote_static), &key);
  seal(key, static_public, message);
  mix_key(static_exchange(remote_static), &key);
  seal(key, time, message);
  message.resize(148);
  sign(message);
  return message;
}

bool PaperPeer::consume_initiation(ConstBytes message) {
  start(static_public);
  const Key ephemeral = array_at<32>(message, 8);
  Key key, from;
  mix_key(ephemeral);
  mix_hash(ephemeral);
  mix_key(static_exchange(ephemeral), &key);
  if (!open_handshake(key, message.subspan(40, 48), from.data()) || from != remote_static) return false;
  mix_key(static_exchange(from), &key);
  if (!open_handshake(key, message.subspan(88, 28), remote_time.data())) return false;
  remote_ephemeral_ = ephemeral;
  remote_index = load_le32(&message[4]);
  return true;
}

Message PaperPeer::response() {
  Message message;
  append_u32(message, 2);
  append_u32(message, ++index);
  append_u32(message, remote_index);
  const Key ephemeral = new_ephemeral();
  Key key;
  append(message, ephemeral);
  mix_key(ephemeral);
  mix_hash(ephemeral);
  mix_key(ephemeral_exchange(remote_ephemeral_));
  mix_key(ephemeral_exchange(remote_static));
  mix_preshared(key);
  seal(key, {}, message);
  message.resize(92);
  sign(message);
  derive(false);
  return message;
}

bool PaperPeer::consume_response(ConstBytes message) {
  if (message.size() != 92 || load_le32(&message[8]) != index) return false;
  const Key ephemeral = array_at<32>(message, 12);
  Key key;
  mix_key(ephemeral);
  mix_hash(ephemeral);
  mix_key(ephemeral_exchange(ephemeral));
  mix_key(static_exchange(ephemeral));
  mix_preshared(key);
  if (!open_handshake(key, message.subspan(44, 16), nullptr)) return false;
  remote_index = load_le32(&message[4]);
  derive(true);
  return true;
}

void PaperPeer::derive(bool initiator) {
  const std::vector<Key> keys = kdf(2, chaining_key_, {});
  sending = keys[initiator ? 0 : 1];
  receiving = keys[initiator ? 1 : 0];
  counter = 0;
}

Message PaperPeer::data(uint64_t with_counter, ConstBytes text) const {
  Message message(16 + text.size() + 16);
  store_le32(&message[0], 4);
  store_le32(&message[4], remote_index);
  store_le64(&message[8], with_counter);
  crypto_aead_chacha20poly1305_ietf_encrypt(&message[16], nullptr, text.data(), text.size(), nullptr, 0, nullptr,
                                            nonce_of(with_counter).data(), sending.data());
  return message;
}

std::optional<Message> PaperPeer::open(ConstBytes message) const {
  if (message.size() < 32 || load_le32(&message[0]) != 4 || load_le32(&message[4]) != index) return {};
  Message text(message.size() - 32);
  if (crypto_aead_chacha20poly1305_ietf_decrypt(text.data(), nullptr, nullptr, &message[16], message.size() - 16,
                                                nullptr, 0, nonce_of(load_le64(&message[8])).data(),
                                                receiving.data()) != 0) {
    return {};
  }
  return text;
}

void PaperPeer::sign(Message& message) {
  const auto mac1 = message.end() - kMac1FromEnd;
  const auto mac2 = message.end() - kMac2FromEnd;
  const Key mac1_key = crypto::blake2s({bytes_of_text("mac1----"), remote_static});
  last_mac1_ = crypto::blake2s_mac(mac1_key, {ConstBytes{message.begin(), mac1}});
  std::ranges::copy(last_mac1_, mac1);
  std::fill(mac2, message.end(), uint8_t{0});
  if (cookie) std::ranges::copy(crypto::blake2s_mac(*cookie, {ConstBytes{message.begin(), mac2}}), mac2);
}

bool PaperPeer::consume_cookie_reply(ConstBytes message) {
  if (message.size() != 64 || load_le32(&message[0]) != 3 || load_le32(&message[4]) != index) return false;
  const Key key = crypto::blake2s({bytes_of_text("cookie--"), remote_static});
  Mac opened;
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(opened.data(), nullptr, nullptr, &message[32], 32, last_mac1_.data(),
                                                 last_mac1_.size(), &message[8], key.data()) != 0) {
    return false;
  }
  cookie = opened;
  return true;
}

Message PaperPeer::cookie_reply(ConstBytes to, const Mac& with_cookie) const {
  Message message(64);
  store_le32(&message[0], 3);
  store_le32(&message[4], load_le32(&to[4]));
  randombytes_buf(&message[8], 24);
  const Key key = crypto::blake2s({bytes_of_text("cookie--"), static_public});
  crypto_aead_xchacha20poly1305_ietf_encrypt(&message[32], nullptr, with_cookie.data(), with_cookie.size(),
                                             &to[to.size() - kMac1FromEnd], 16, nullptr, &message[8], key.data());
  return message;
}

}  // namespace adit::tunnel
