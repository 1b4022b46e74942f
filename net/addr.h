// IP addresses, endpoints and prefixes: values without any operating system in them.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/bytes.h"

namespace adit {

/// An IPv4 or IPv6 address in 16 bytes; IPv4 is held in its mapped form (::ffff:a.b.c.d, RFC 4291 2.5.5.2), so
/// one comparison and one hash serve both.  The default is `::`.
class Ip {
 public:
  constexpr Ip() noexcept = default;
  static Ip v4(uint32_t host_order) noexcept;
  static Ip v4(std::span<const uint8_t, 4> network_order) noexcept;
  static Ip v6(std::span<const uint8_t, 16> network_order) noexcept;
  /// Dotted quad or RFC 4291 text, without brackets or zone.
  static std::optional<Ip> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const noexcept { return std::memcmp(raw_.data(), kMappedPrefix.data(), 12) == 0; }
  [[nodiscard]] bool is_v6() const noexcept { return !is_v4(); }
  /// 0.0.0.0 or `::`.
  [[nodiscard]] bool is_unspecified() const noexcept;
  [[nodiscard]] bool is_multicast() const noexcept;
  /// 32 or 128.
  [[nodiscard]] unsigned bits() const noexcept { return is_v4() ? 32 : 128; }
  /// The address as it stands in a packet: 4 or 16 bytes, network order; lives as long as this object.
  [[nodiscard]] ConstBytes bytes() const noexcept;
  /// All 16 bytes, for hashing.
  [[nodiscard]] const std::array<uint8_t, 16>& raw() const noexcept { return raw_; }
  /// RFC 5952 text.
  [[nodiscard]] std::string to_string() const;

  /// Two words, not a call: every packet's address is compared with another.
  bool operator==(const Ip& other) const noexcept {
    return std::bit_cast<Words>(raw_) == std::bit_cast<Words>(other.raw_);
  }
  auto operator<=>(const Ip&) const noexcept = default;

 private:
  struct Words {
    uint64_t first, second;
    bool operator==(const Words&) const noexcept = default;
  };
  static constexpr std::array<uint8_t, 12> kMappedPrefix = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

  std::array<uint8_t, 16> raw_{};
};

/// Where a datagram comes from or goes to.
struct Endpoint {
  Ip ip;
  uint16_t port = 0;   // host order
  uint32_t scope = 0;  // interface index of a link-local IPv6 address, else 0

  /// "192.0.2.1:51820" or "[2001:db8::1]:51820"; no names, no zones.
  static std::optional<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Endpoint&) const noexcept = default;
};

/// A set of addresses with the same leading bits; the rest of `ip` is zero.
struct Prefix {
  Ip ip;
  uint8_t length = 0;  // 0..32 or 0..128

  /// "10.0.0.0/8", "fd00::/8"; without a length it is one address.  Host bits are cleared, as `wg` does.  IPv4 in its
  /// mapped form is refused: its length could be meant for either version.
  static std::optional<Prefix> parse(std::string_view text);
  static Prefix of(const Ip& ip, uint8_t length) noexcept;
  [[nodiscard]] bool contains(const Ip& address) const noexcept;
  /// Whether an address is in both.
  [[nodiscard]] bool overlaps(const Prefix& other) const noexcept;
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const Prefix&) const noexcept = default;
};

/// Keyed so that outsiders who choose addresses cannot choose collisions (SipHash is not needed: the key is secret
/// and the table bounded).  `seed` is drawn once per process.
uint64_t hash_endpoint(const Endpoint& endpoint, uint64_t seed) noexcept;

}  // namespace adit
