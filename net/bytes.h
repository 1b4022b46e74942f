// Reading and writing integers in byte buffers, in the order the wire wants: `le` as WireGuard, `be` as IP.
// Callers have checked that the bytes are there.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace adit {

using Bytes = std::span<uint8_t>;
using ConstBytes = std::span<const uint8_t>;
inline constexpr size_t kCacheLine = 64;
__extension__ typedef unsigned __int128 Uint128;  // no ISO type, but every 64-bit compiler has it

/// To a place that does not overlap.  Packets' bytes are copied with this: std::ranges::copy goes byte by byte at -O2.
inline void copy_bytes(ConstBytes from, uint8_t* to) noexcept {
  if (!from.empty()) std::memcpy(to, from.data(), from.size());
}

namespace detail {

template <typename T>
constexpr T swap_bytes(T value) noexcept {
  if constexpr (sizeof(T) == 2) return __builtin_bswap16(value);
  if constexpr (sizeof(T) == 4) return __builtin_bswap32(value);
  if constexpr (sizeof(T) == 8) return __builtin_bswap64(value);
}

template <typename T, std::endian order>
T load(const uint8_t* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native != order) value = swap_bytes(value);
  return value;
}

template <typename T, std::endian order>
void store(uint8_t* at, T value) noexcept {
  if constexpr (std::endian::native != order) value = swap_bytes(value);
  std::memcpy(at, &value, sizeof value);
}

}  // namespace detail

inline uint16_t load_be16(const uint8_t* at) noexcept { return detail::load<uint16_t, std::endian::big>(at); }
inline uint32_t load_be32(const uint8_t* at) noexcept { return detail::load<uint32_t, std::endian::big>(at); }
inline uint32_t load_le32(const uint8_t* at) noexcept { return detail::load<uint32_t, std::endian::little>(at); }
inline uint64_t load_le64(const uint8_t* at) noexcept { return detail::load<uint64_t, std::endian::little>(at); }
inline uint64_t load_be64(const uint8_t* at) noexcept { return detail::load<uint64_t, std::endian::big>(at); }

inline void store_be16(uint8_t* at, uint16_t value) noexcept { detail::store<uint16_t, std::endian::big>(at, value); }
inline void store_be32(uint8_t* at, uint32_t value) noexcept { detail::store<uint32_t, std::endian::big>(at, value); }
inline void store_be64(uint8_t* at, uint64_t value) noexcept { detail::store<uint64_t, std::endian::big>(at, value); }
inline void store_le32(uint8_t* at, uint32_t value) noexcept {
  detail::store<uint32_t, std::endian::little>(at, value);
}
inline void store_le64(uint8_t* at, uint64_t value) noexcept {
  detail::store<uint64_t, std::endian::little>(at, value);
}

}  // namespace adit
