// Keys: 32 bytes each, as types that cannot be confused.  Secret ones wipe themselves, compare in constant time and
// are never printed except on purpose.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace adit::crypto {

inline constexpr size_t kKeySize = 32;
using KeyBytes = std::array<uint8_t, kKeySize>;

/// Overwrites memory in a way the compiler may not leave out.
void wipe(std::span<uint8_t> memory) noexcept;
/// Equal or not, in a time that does not depend on where they differ.  Sizes must be equal.
bool equal_constant_time(std::span<const uint8_t> a, std::span<const uint8_t> b) noexcept;

/// 44 characters, as `wg` writes and reads keys; the encoding must be the canonical one.
std::string key_to_base64(const KeyBytes& key);
std::optional<KeyBytes> key_from_base64(std::string_view text);

/// A public key.  Ordinary data: comparable, printable, usable as a map key.
struct PublicKey {
  KeyBytes bytes{};

  static std::optional<PublicKey> from_base64(std::string_view text);
  [[nodiscard]] std::string to_base64() const { return key_to_base64(bytes); }
  auto operator<=>(const PublicKey&) const noexcept = default;
};

/// 32 secret bytes; `Kind` tells one sort from another.
template <typename Kind>
class SecretKey {
 public:
  SecretKey() noexcept = default;  // all zero: "none"
  explicit SecretKey(const KeyBytes& bytes) noexcept : bytes_(bytes) {}
  SecretKey(const SecretKey&) noexcept = default;
  SecretKey& operator=(const SecretKey&) noexcept = default;
  ~SecretKey() { clear(); }

  void clear() noexcept { wipe(bytes_); }
  [[nodiscard]] KeyBytes& bytes() noexcept { return bytes_; }
  [[nodiscard]] const KeyBytes& bytes() const noexcept { return bytes_; }
  [[nodiscard]] bool is_zero() const noexcept { return equal_constant_time(bytes_, KeyBytes{}); }
  friend bool operator==(const SecretKey& a, const SecretKey& b) noexcept {
    return equal_constant_time(a.bytes_, b.bytes_);
  }

 private:
  KeyBytes bytes_{};
};

using PrivateKey = SecretKey<struct PrivateKind>;      // X25519, clamped when used
using PresharedKey = SecretKey<struct PresharedKind>;  // all zero when there is none
using SymmetricKey = SecretKey<struct SymmetricKind>;  // one direction of one session, or a handshake step
using SharedSecret = SecretKey<struct SharedKind>;     // result of an X25519 exchange

/// A fresh, clamped private key, as `wg genkey` makes it.
PrivateKey generate_private_key();
/// A fresh preshared key, as `wg genpsk` makes it.
PresharedKey generate_preshared_key();

}  // namespace adit::crypto
