// Fragments written byte by byte: no code of net/ is used that net/'s tests are about, but for the checksum.
#pragma once

#include <algorithm>
#include <vector>

#include "net/bytes.h"
#include "net/checksum.h"
#include "net/packet.h"

namespace adit::test {

using ByteVector = std::vector<uint8_t>;

struct Piece {
  bool v4 = true;
  uint8_t host = 1;  // last byte of the source address
  uint32_t identification = 7;
  uint8_t protocol = 17;
  size_t offset = 0;
  bool more = false;
  uint8_t tos = 0;
  size_t options = 0;  // bytes of IPv4 options
};

inline ByteVector addresses_of(const Piece& piece) {
  if (piece.v4) return {10, 0, 0, piece.host, 10, 0, 0, 99};
  ByteVector addresses(32);
  addresses[0] = addresses[16] = 0xfd;
  addresses[15] = piece.host;
  addresses[31] = 99;
  return addresses;
}

/// A whole packet where `is_fragment` is false: the rest of `piece` but its offset and flag holds for it, too.
inline ByteVector packet_of(const Piece& piece, const ByteVector& payload, bool is_fragment = true) {
  ByteVector bytes(piece.v4 ? 12 : 8);
  bytes[0] = static_cast<uint8_t>(piece.v4 ? 0x45 + piece.options / 4 : 0x60 | piece.tos >> 4);
  bytes[1] = static_cast<uint8_t>(piece.v4 ? piece.tos : piece.tos << 4);
  const ByteVector addresses = addresses_of(piece);
  bytes.insert(bytes.end(), addresses.begin(), addresses.end());
  if (piece.v4) {
    bytes.resize(20 + piece.options, 1);  // no operation
    store_be16(&bytes[2], static_cast<uint16_t>(bytes.size() + payload.size()));
    store_be16(&bytes[4], static_cast<uint16_t>(piece.identification));
    if (is_fragment) store_be16(&bytes[6], static_cast<uint16_t>(piece.offset / 8 | (piece.more ? 0x2000 : 0)));
    bytes[8] = 64;
    bytes[9] = piece.protocol;
    store_be16(&bytes[10], checksum_finish(checksum_add(0, bytes)));
  } else {
    store_be16(&bytes[4], static_cast<uint16_t>((is_fragment ? 8 : 0) + payload.size()));
    bytes[6] = is_fragment ? uint8_t{44} : piece.protocol;
    bytes[7] = 64;
    if (is_fragment) {
      bytes.resize(48);
      bytes[40] = piece.protocol;
      store_be16(&bytes[42], static_cast<uint16_t>(piece.offset | (piece.more ? 1 : 0)));
      store_be32(&bytes[44], piece.identification);
    }
  }
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return bytes;
}

/// Bytes that are different for each place and seed.
inline ByteVector pattern(size_t size, uint32_t seed = 0) {
  ByteVector bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<uint8_t>(seed * 101 + i * 7 + i / 256 * 13);
  return bytes;
}

inline ByteVector part_of(const ByteVector& whole, size_t offset, size_t size) {
  const auto begin = whole.begin() + static_cast<ptrdiff_t>(offset);
  return {begin, begin + static_cast<ptrdiff_t>(std::min(size, whole.size() - offset))};
}

/// The fragment of a packet's payload at an offset, the last one where it reaches the end.
inline ByteVector cut(Piece piece, const ByteVector& payload, size_t offset, size_t size) {
  piece.offset = offset;
  piece.more = offset + size < payload.size();
  return packet_of(piece, part_of(payload, offset, size));
}

inline Packet put(PacketPool& pool, const ByteVector& bytes) {
  Packet packet = pool.take();
  if (packet) copy_bytes(bytes, packet.push_back(bytes.size()).data());
  return packet;
}

inline ByteVector bytes_of(const Packet& packet) { return {packet.bytes().begin(), packet.bytes().end()}; }

}  // namespace adit::test
