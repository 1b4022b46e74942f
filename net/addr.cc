#include "net/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace adit {
namespace {

template <typename T>
std::optional<T> parse_number(std::string_view text, T largest) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > largest) return {};
  return value;
}

/// Splits "a:b" at the colon that ends the address; brackets, if any, are taken off.
std::optional<std::pair<std::string_view, std::string_view>> split_endpoint(std::string_view text) {
  if (!text.empty() && text.front() == '[') {
    const size_t close = text.find("]:");
    if (close == std::string_view::npos) return {};
    return std::pair{text.substr(1, close - 1), text.substr(close + 2)};
  }
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon != text.rfind(':')) return {};
  return std::pair{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace

Ip Ip::v4(std::span<const uint8_t, 4> network_order) noexcept {
  Ip ip;
  copy_bytes(kMappedPrefix, ip.raw_.data());
  copy_bytes(network_order, &ip.raw_[12]);
  return ip;
}

Ip Ip::v4(uint32_t host_order) noexcept {
  std::array<uint8_t, 4> bytes;
  store_be32(bytes.data(), host_order);
  return v4(bytes);
}

Ip Ip::v6(std::span<const uint8_t, 16> network_order) noexcept {
  Ip ip;
  copy_bytes(network_order, ip.raw_.data());
  return ip;
}

std::optional<Ip> Ip::parse(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return {};  // where inet_pton() would stop reading
  const std::string terminated(text);
  std::array<uint8_t, 16> bytes;
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return v4(std::span(bytes).first<4>());
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return v6(bytes);
  return {};
}

bool Ip::is_unspecified() const noexcept {
  return std::ranges::all_of(bytes(), [](uint8_t byte) { return byte == 0; });
}

bool Ip::is_multicast() const noexcept { return is_v4() ? (raw_[12] & 0xf0) == 0xe0 : raw_[0] == 0xff; }

ConstBytes Ip::bytes() const noexcept { return is_v4() ? ConstBytes(raw_).subspan(12) : ConstBytes(raw_); }

std::string Ip::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> text;
  return inet_ntop(is_v4() ? AF_INET : AF_INET6, bytes().data(), text.data(), text.size());
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto parts = split_endpoint(text);
  if (!parts) return {};
  const auto ip = Ip::parse(parts->first);
  const auto port = parse_number<uint16_t>(parts->second, 65535);
  if (!ip || !port || (text.front() == '[') != (parts->first.find(':') != std::string_view::npos)) return {};
  return Endpoint{*ip, *port};
}

std::string Endpoint::to_string() const {
  const std::string text = ip.to_string();
  return (ip.is_v4() ? text : "[" + text + "]") + ":" + std::to_string(port);
}

Prefix Prefix::of(const Ip& ip, uint8_t length) noexcept {
  std::array<uint8_t, 16> raw = ip.raw();
  const unsigned kept = length + (ip.is_v4() ? 96u : 0u);
  for (unsigned byte = 0; byte < 16; ++byte) {
    if (kept >= (byte + 1) * 8) continue;
    const unsigned mask = kept <= byte * 8 ? 0u : 0xff00u >> (kept - byte * 8);
    raw[byte] = static_cast<uint8_t>(raw[byte] & mask);
  }
  return {Ip::v6(raw), length};
}

std::optional<Prefix> Prefix::parse(std::string_view text) {
  const size_t slash = text.find('/');
  const auto ip = Ip::parse(text.substr(0, slash));
  const bool mapped = ip && ip->is_v4() && text.find(':') != std::string_view::npos;
  if (!ip || mapped) return {};
  if (slash == std::string_view::npos) return of(*ip, static_cast<uint8_t>(ip->bits()));
  const auto length = parse_number<uint8_t>(text.substr(slash + 1), static_cast<uint8_t>(ip->bits()));
  if (!length) return {};
  return of(*ip, *length);
}

bool Prefix::contains(const Ip& address) const noexcept {
  return address.is_v4() == ip.is_v4() && of(address, length).ip == ip;
}

bool Prefix::overlaps(const Prefix& other) const noexcept { return contains(other.ip) || other.contains(ip); }

std::string Prefix::to_string() const { return ip.to_string() + "/" + std::to_string(length); }

uint64_t hash_endpoint(const Endpoint& endpoint, uint64_t seed) noexcept {
  constexpr uint64_t kOdd = 0x9e3779b97f4a7c15;
  const auto mix = [](uint64_t state, uint64_t word) {
    const auto product = static_cast<Uint128>(state ^ word) * kOdd;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  };
  uint64_t state = mix(seed, load_le64(endpoint.ip.raw().data()));
  state = mix(state, load_le64(endpoint.ip.raw().data() + 8) ^ seed >> 32);
  return mix(state, (uint64_t{endpoint.scope} << 16 | endpoint.port) + seed);
}

}  // namespace adit
