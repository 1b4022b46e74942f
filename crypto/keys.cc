#include "crypto/keys.h"

#include <cassert>

#include "crypto/random.h"
#include "crypto/sodium.h"

namespace adit::crypto {
namespace {

constexpr int kBase64 = sodium_base64_VARIANT_ORIGINAL;
constexpr size_t kBase64Size = sodium_base64_ENCODED_LEN(kKeySize, kBase64) - 1;  // without the terminating zero

}  // namespace

void wipe(std::span<uint8_t> memory) noexcept { sodium_memzero(memory.data(), memory.size()); }

bool equal_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b) noexcept {
  assert(a.size() == b.size());
  return sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string key_to_base64(const KeyBytes& key) {
  std::string text(kBase64Size, '\0');
  sodium_bin2base64(text.data(), text.size() + 1, key.data(), key.size(), kBase64);
  return text;
}

std::optional<KeyBytes> key_from_base64(std::string_view text) {
  std::optional<KeyBytes> key(std::in_place);
  size_t size = 0;
  // libsodium itself refuses missing padding, left-over bits that are not zero and anything after the padding.
  const bool decoded =
      sodium_base642bin(key->data(), key->size(), text.data(), text.size(), nullptr, &size, nullptr, kBase64) == 0;
  if (!decoded || size != kKeySize) key.reset();
  return key;
}

std::optional<PublicKey> PublicKey::from_base64(std::string_view text) {
  const auto bytes = key_from_base64(text);
  if (!bytes) return {};
  return PublicKey{*bytes};
}

PrivateKey generate_private_key() {
  PrivateKey key;
  random_bytes(key.bytes());
  // RFC 7748 5: a multiple of the cofactor, with the highest bit always in the same place.
  key.bytes().front() &= 0xf8;
  key.bytes().back() = static_cast<uint8_t>((key.bytes().back() & 0x7f) | 0x40);
  return key;
}

PresharedKey generate_preshared_key() {
  PresharedKey key;
  random_bytes(key.bytes());
  return key;
}

}  // namespace adit::crypto
