#include "crypto/blake2s.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <utility>

#include "crypto/keys.h"
#include "crypto/sodium.h"

namespace adit::crypto {
namespace {

constexpr size_t kBlockSize = 64;

// RFC 7693 2.6 and 2.7; one line of the message schedule per round.
constexpr std::array<uint32_t, 8> kIv = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
constexpr uint8_t kSigma[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0}};

uint32_t load_le32(const uint8_t* at) noexcept {
  return uint32_t{at[0]} | uint32_t{at[1]} << 8 | uint32_t{at[2]} << 16 | uint32_t{at[3]} << 24;
}

/// G, the mixing function (RFC 7693 3.1), with the rotations of BLAKE2s.
[[gnu::always_inline]] inline void mix(uint32_t& a, uint32_t& b, uint32_t& c, uint32_t& d, uint32_t x,
                                       uint32_t y) noexcept {
  a += b + x;
  d = std::rotr(d ^ a, 16);
  c += d;
  b = std::rotr(b ^ c, 12);
  a += b + y;
  d = std::rotr(d ^ a, 8);
  c += d;
  b = std::rotr(b ^ c, 7);
}

/// A round whose schedule is known to the compiler keeps its words in registers: a flood is answered from here.
template <size_t kRound>
[[gnu::always_inline]] inline void mix_round(std::array<uint32_t, 16>& v, const std::array<uint32_t, 16>& m) noexcept {
  constexpr auto& s = kSigma[kRound];
  mix(v[0], v[4], v[8], v[12], m[s[0]], m[s[1]]);
  mix(v[1], v[5], v[9], v[13], m[s[2]], m[s[3]]);
  mix(v[2], v[6], v[10], v[14], m[s[4]], m[s[5]]);
  mix(v[3], v[7], v[11], v[15], m[s[6]], m[s[7]]);
  mix(v[0], v[5], v[10], v[15], m[s[8]], m[s[9]]);
  mix(v[1], v[6], v[11], v[12], m[s[10]], m[s[11]]);
  mix(v[2], v[7], v[8], v[13], m[s[12]], m[s[13]]);
  mix(v[3], v[4], v[9], v[14], m[s[14]], m[s[15]]);
}

void store_le32(uint8_t* at, uint32_t value) noexcept {
  for (size_t byte = 0; byte < 4; ++byte) at[byte] = static_cast<uint8_t>(value >> (8 * byte));
}

/// The hash of `first` and then of the parts.
Hash hash_of(std::span<const uint8_t> first, std::initializer_list<std::span<const uint8_t>> parts) noexcept {
  Blake2s hasher;
  hasher.update(first);
  for (const auto part : parts) hasher.update(part);
  Hash hash;
  hasher.finish(hash);
  return hash;
}

}  // namespace

Blake2s::Blake2s(size_t digest_size, std::span<const uint8_t> key) noexcept
    : state_(kIv), buffer_{}, digest_size_(digest_size) {
  assert(digest_size >= 1 && digest_size <= kHashSize && key.size() <= kKeySize);
  // The parameter block of RFC 7693 2.5: fan-out 1, depth 1, key length, digest length.
  state_[0] ^= 0x01010000 ^ static_cast<uint32_t>(key.size() << 8) ^ static_cast<uint32_t>(digest_size);
  if (key.empty()) return;
  std::ranges::copy(key, buffer_.begin());
  buffered_ = kBlockSize;
}

Blake2s::~Blake2s() {
  sodium_memzero(state_.data(), sizeof state_);
  wipe(buffer_);
}

Blake2s& Blake2s::update(std::span<const uint8_t> data) noexcept {
  while (!data.empty()) {
    // A full buffer is compressed only when more follows: the last block is finish()'s.
    if (buffered_ == kBlockSize) {
      count_ += kBlockSize;
      compress(buffer_.data(), false);
      buffered_ = 0;
    }
    const size_t taken = std::min(kBlockSize - buffered_, data.size());
    std::ranges::copy(data.first(taken), &buffer_[buffered_]);
    buffered_ += taken;
    data = data.subspan(taken);
  }
  return *this;
}

void Blake2s::finish(std::span<uint8_t> out) noexcept {
  assert(out.size() >= digest_size_);
  count_ += buffered_;
  std::fill(buffer_.begin() + static_cast<std::ptrdiff_t>(buffered_), buffer_.end(), uint8_t{0});
  compress(buffer_.data(), true);
  Hash whole;
  for (size_t word = 0; word < state_.size(); ++word) store_le32(&whole[word * 4], state_[word]);
  std::ranges::copy(std::span(whole).first(digest_size_), out.begin());
  wipe(whole);
}

/// F, the compression function (RFC 7693 3.2); `count_` already includes the block.
void Blake2s::compress(const uint8_t* block, bool last) noexcept {
  std::array<uint32_t, 16> m;
  for (size_t word = 0; word < 16; ++word) m[word] = load_le32(block + word * 4);

  std::array<uint32_t, 16> v;
  std::ranges::copy(state_, v.begin());
  std::ranges::copy(kIv, v.begin() + 8);
  v[12] ^= static_cast<uint32_t>(count_);
  v[13] ^= static_cast<uint32_t>(count_ >> 32);
  if (last) v[14] = ~v[14];

  [&]<size_t... kRounds>(std::index_sequence<kRounds...>) { (mix_round<kRounds>(v, m), ...); }
  (std::make_index_sequence<std::size(kSigma)>());
  for (size_t word = 0; word < 8; ++word) state_[word] ^= v[word] ^ v[word + 8];
}

Hash blake2s(std::initializer_list<std::span<const uint8_t>> parts) noexcept { return hash_of({}, parts); }

Mac blake2s_mac(std::span<const uint8_t> key, std::initializer_list<std::span<const uint8_t>> parts) noexcept {
  Blake2s hasher(kMacSize, key);
  for (const auto part : parts) hasher.update(part);
  Mac mac;
  hasher.finish(mac);
  return mac;
}

Hash hmac_blake2s(std::span<const uint8_t> key, std::initializer_list<std::span<const uint8_t>> parts) noexcept {
  std::array<uint8_t, kBlockSize> pad{};
  if (key.size() <= kBlockSize) {
    std::ranges::copy(key, pad.begin());
  } else {
    std::ranges::copy(hash_of(key, {}), pad.begin());
  }
  for (uint8_t& byte : pad) byte ^= 0x36;
  Hash inner = hash_of(pad, parts);
  for (uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
  const Hash mac = hash_of(pad, {inner});
  wipe(pad);
  wipe(inner);
  return mac;
}

}  // namespace adit::crypto
