#include "net/segment.h"

#include <algorithm>
#include <optional>

#include "net/checksum.h"
#include "net/ip.h"
#include "net/tcp.h"

namespace adit {
namespace {

/// A super-packet whose header fits it.
struct Super {
  bool v4;
  bool tcp;
  ConstBytes headers;
  size_t transport;  // where its header begins
  ConstBytes payload;
  size_t segment_size;
  uint64_t pseudo_sum;  // of the pseudo-header, without the length
};

/// Whether this protocol's header may begin there: right behind an IPv4 header, or behind an IPv6 header and perhaps
/// extensions, which are as the kernel left them.
bool can_begin_at(size_t transport, uint8_t protocol, ConstBytes packet) noexcept {
  if (packet[0] >> 4 == 4) {
    const bool is_fragment = (load_be16(&packet[6]) & 0x3fff) != 0;  // more of them, or an offset
    return transport >= kIpv4HeaderSize && transport == size_t{packet[0] & 0xfu} * 4 && packet[9] == protocol &&
           !is_fragment;
  }
  constexpr size_t kSmallestExtension = 8;
  if (packet[6] == protocol) return transport == kIpv6HeaderSize;
  return transport >= kIpv6HeaderSize + kSmallestExtension;
}

bool is_tcp(VnetHeader::Gso kind) noexcept { return kind == VnetHeader::Gso::kTcp4 || kind == VnetHeader::Gso::kTcp6; }

/// What is to be cut; kNone when it cannot be.
VnetHeader::Gso kind_of(const VnetHeader& header, bool v4) noexcept {
  using Gso = VnetHeader::Gso;
  const auto tcp = v4 ? Gso::kTcp4 : Gso::kTcp6;
  if ((header.gso_type & ~VnetHeader::kEcn) == static_cast<uint8_t>(tcp)) return tcp;
  return header.gso_type == static_cast<uint8_t>(Gso::kUdp) ? Gso::kUdp : Gso::kNone;
}

/// Behind extension headers there may be a routing header, and then the pseudo-header's destination is not the one in
/// the IP header (RFC 8200 8.1).  There only the checksum's place knows, where the kernel has left the sum with the
/// length.
uint64_t pseudo_sum(ConstBytes packet, size_t transport, bool tcp) noexcept {
  const bool v4 = packet[0] >> 4 == 4;
  if (!v4 && transport > kIpv6HeaderSize) {
    const size_t length = packet.size() - transport;
    return load_be16(&packet[transport + (tcp ? kTcpChecksumAt : kUdpChecksumAt)]) + (0xffff - length);
  }
  const ConstBytes addresses = v4 ? packet.subspan(12, 8) : packet.subspan(8, 32);
  return checksum_add(tcp ? kProtocolTcp : kProtocolUdp, addresses);
}

std::optional<Super> parse(ConstBytes packet, const VnetHeader& header) noexcept {
  if (ip_length(packet) != packet.size()) return {};
  if ((header.flags & VnetHeader::kNeedsChecksum) == 0 || header.segment_size == 0) return {};
  const bool v4 = packet[0] >> 4 == 4;
  const VnetHeader::Gso kind = kind_of(header, v4);
  if (kind == VnetHeader::Gso::kNone) return {};
  const bool tcp = is_tcp(kind);

  const size_t transport = header.checksum_start;
  if (!can_begin_at(transport, tcp ? kProtocolTcp : kProtocolUdp, packet)) return {};
  if (header.checksum_offset != (tcp ? kTcpChecksumAt : kUdpChecksumAt)) return {};
  const size_t least = transport + (tcp ? kTcpHeaderSize : kUdpHeaderSize);
  if (packet.size() < least) return {};
  const size_t headers = tcp ? transport + tcp_header_size(&packet[transport]) : least;
  if (headers < least || headers >= packet.size()) return {};
  if (!tcp && load_be16(&packet[transport + kUdpLengthAt]) != packet.size() - transport) return {};

  const ConstBytes payload = packet.subspan(headers);
  const size_t segment_size = std::min<size_t>(header.segment_size, payload.size());
  return Super{v4, tcp, packet.first(headers), transport, payload, segment_size, pseudo_sum(packet, transport, tcp)};
}

void set_ip_length(Bytes packet, bool v4, size_t number) noexcept {
  if (!v4) return store_be16(&packet[4], static_cast<uint16_t>(packet.size() - kIpv6HeaderSize));
  store_be16(&packet[2], static_cast<uint16_t>(packet.size()));
  store_be16(&packet[4], static_cast<uint16_t>(load_be16(&packet[4]) + number));
  set_ipv4_checksum(packet.first(size_t{packet[0] & 0xfu} * 4));
}

struct Segment {
  Bytes transport;     // header and payload
  ConstBytes payload;  // where it was copied from
  size_t number;
  bool is_last;
};

/// The checksum is computed last, over zero in its own place.  The payload is summed where it came from: what has just
/// been written is slow to read.
void set_transport(const Segment& segment, const Super& super) noexcept {
  const Bytes bytes = segment.transport;
  if (super.tcp) {
    const auto offset = static_cast<uint32_t>(segment.number * super.segment_size);
    store_be32(&bytes[kTcpSequenceAt], load_be32(&bytes[kTcpSequenceAt]) + offset);
    if (!segment.is_last) bytes[kTcpFlagsAt] &= static_cast<uint8_t>(~(kTcpFin | kTcpPsh));
    if (segment.number > 0) bytes[kTcpFlagsAt] &= static_cast<uint8_t>(~kTcpCwr);
  } else {
    store_be16(&bytes[kUdpLengthAt], static_cast<uint16_t>(bytes.size()));
  }
  uint8_t* const checksum = &bytes[super.tcp ? kTcpChecksumAt : kUdpChecksumAt];
  store_be16(checksum, 0);
  const ConstBytes header = bytes.first(bytes.size() - segment.payload.size());
  const uint64_t header_sum = checksum_add(super.pseudo_sum + bytes.size(), header);
  const uint16_t sum = checksum_finish(checksum_add(header_sum, segment.payload));
  store_be16(checksum, sum == 0 && !super.tcp ? 0xffff : sum);  // zero would mean "none" (RFC 768)
}

Drop cut(const Super& super, PacketPool& pool, PacketBatch& out) noexcept {
  if (super.headers.size() + super.segment_size > pool.largest_packet()) return Drop::kTruncatedRead;
  ConstBytes rest = super.payload;
  for (size_t number = 0; !rest.empty(); ++number) {
    const ConstBytes payload = rest.first(std::min(rest.size(), super.segment_size));
    rest = rest.subspan(payload.size());
    Packet packet = pool.take();
    if (!packet) return Drop::kNoBuffer;
    const Bytes bytes = packet.push_back(super.headers.size() + payload.size());
    copy_bytes(super.headers, bytes.data());
    copy_bytes(payload, bytes.data() + super.headers.size());
    set_ip_length(bytes, super.v4, number);
    set_transport({bytes.subspan(super.transport), payload, number, rest.empty()}, super);
    out.push_back(std::move(packet));
  }
  return Drop::kNone;
}

/// The checksum's place holds the pseudo-header's part, so that the sum over all is the whole.
bool complete_checksum(Bytes packet, const VnetHeader& header) noexcept {
  const size_t start = header.checksum_start;
  const size_t at = start + header.checksum_offset;
  if (at + 2 > packet.size()) return false;
  const uint16_t sum = checksum_finish(checksum_add(0, packet.subspan(start)));
  const bool udp = header.checksum_offset == kUdpChecksumAt;
  store_be16(&packet[at], sum == 0 && udp ? 0xffff : sum);
  return true;
}

Drop copy_whole(ConstBytes packet, const VnetHeader& header, PacketPool& pool, PacketBatch& out) noexcept {
  if (packet.size() > pool.largest_packet()) return Drop::kTruncatedRead;
  Packet copy = pool.take();
  if (!copy) return Drop::kNoBuffer;
  copy_bytes(packet, copy.push_back(packet.size()).data());
  const bool unfinished = (header.flags & VnetHeader::kNeedsChecksum) != 0;
  if (unfinished && !complete_checksum(copy.bytes(), header)) return Drop::kBadOffload;
  out.push_back(std::move(copy));
  return Drop::kNone;
}

}  // namespace

Drop segment(ConstBytes packet, const VnetHeader& header, PacketPool& pool, PacketBatch& out) noexcept {
  if (header.gso_type == static_cast<uint8_t>(VnetHeader::Gso::kNone)) return copy_whole(packet, header, pool, out);
  const std::optional<Super> super = parse(packet, header);
  return super ? cut(*super, pool, out) : Drop::kBadOffload;
}

}  // namespace adit
