#include "net/fragment.h"

#include <algorithm>

#include "net/ip.h"

namespace adit {
namespace {

// IPv4, at 6: three flags and the offset in units.  IPv6 fragment header (RFC 8200 4.5): 0 next header, 2 offset in
// units, two reserved bits and a flag, 4 identification.
constexpr uint16_t kDontFragment4 = 0x4000;
constexpr uint16_t kMore4 = 0x2000;
constexpr uint16_t kOffset4 = 0x1fff;
constexpr uint16_t kMore6 = 1;
constexpr uint16_t kOffset6 = 0xfff8;

/// Hop-by-hop options, routing, fragment, destination options: what stands in front of a fragment header, or is one.
bool is_extension(uint8_t protocol) noexcept {
  return protocol == 0 || protocol == 43 || protocol == kProtocolFragment || protocol == 60;
}

bool may_be_cut(ConstBytes packet) noexcept {
  if (packet[0] >> 4 == 6) return !is_extension(packet[6]);
  constexpr uint8_t kWithoutOptions = 0x45;
  return packet[0] == kWithoutOptions && (load_be16(&packet[6]) & (kDontFragment4 | kMore4 | kOffset4)) == 0;
}

void set_ipv4_fragment(Bytes packet, size_t offset, bool more) noexcept {
  store_be16(&packet[2], static_cast<uint16_t>(packet.size()));
  store_be16(&packet[6], static_cast<uint16_t>(offset / kFragmentUnit | (more ? kMore4 : 0)));
  set_ipv4_checksum(packet.first(kIpv4HeaderSize));
}

void set_ipv6_fragment(Bytes packet, size_t offset, bool more, uint32_t identification) noexcept {
  const Bytes header = packet.subspan(kIpv6HeaderSize, kFragmentHeaderSize);
  store_be16(&packet[4], static_cast<uint16_t>(packet.size() - kIpv6HeaderSize));
  header[0] = packet[6];
  header[1] = 0;
  store_be16(&header[2], static_cast<uint16_t>(offset | (more ? kMore6 : 0)));
  store_be32(&header[4], identification);
  packet[6] = kProtocolFragment;
}

Drop cut(ConstBytes whole, size_t largest, uint32_t identification, PacketPool& pool, PacketBatch& out) noexcept {
  const bool v4 = whole[0] >> 4 == 4;
  const ConstBytes ip_header = whole.first(v4 ? kIpv4HeaderSize : kIpv6HeaderSize);
  const ConstBytes payload = whole.subspan(ip_header.size());
  const size_t headers = ip_header.size() + (v4 ? 0 : kFragmentHeaderSize);
  if (largest < headers + kFragmentUnit) return Drop::kTooBig;
  const size_t step = (largest - headers) / kFragmentUnit * kFragmentUnit;
  for (size_t offset = 0; offset < payload.size(); offset += step) {
    const ConstBytes part = payload.subspan(offset, std::min(step, payload.size() - offset));
    const bool more = offset + part.size() < payload.size();
    Packet packet = pool.take();
    if (!packet) return Drop::kNoBuffer;
    const Bytes bytes = packet.push_back(headers + part.size());
    copy_bytes(ip_header, bytes.data());
    copy_bytes(part, bytes.data() + headers);
    if (v4) {
      set_ipv4_fragment(bytes, offset, more);
    } else {
      set_ipv6_fragment(bytes, offset, more, identification);
    }
    out.push_back(std::move(packet));
  }
  return Drop::kNone;
}

std::optional<FragmentView> view_of_v4(ConstBytes packet, const Ip& source, const Ip& destination) noexcept {
  const size_t header = size_t{packet[0] & 0x0fu} * 4;
  if (header < kIpv4HeaderSize || header > packet.size()) return {};
  const uint16_t flags_and_offset = load_be16(&packet[6]);
  if ((flags_and_offset & (kMore4 | kOffset4)) == 0) return {};
  return FragmentView{.source = source,
                      .destination = destination,
                      .identification = load_be16(&packet[4]),
                      .protocol = packet[9],
                      .offset = (flags_and_offset & kOffset4) * kFragmentUnit,
                      .more = (flags_and_offset & kMore4) != 0,
                      .header = packet.first(header),
                      .payload = packet.subspan(header)};
}

std::optional<FragmentView> view_of_v6(ConstBytes packet, const Ip& source, const Ip& destination) noexcept {
  if (packet[6] != kProtocolFragment || packet.size() < kIpv6HeaderSize + kFragmentHeaderSize) return {};
  const ConstBytes header = packet.subspan(kIpv6HeaderSize, kFragmentHeaderSize);
  const uint16_t offset_and_flags = load_be16(&header[2]);
  return FragmentView{.source = source,
                      .destination = destination,
                      .identification = load_be32(&header[4]),
                      .protocol = header[0],
                      .offset = size_t{offset_and_flags} & kOffset6,
                      .more = (offset_and_flags & kMore6) != 0,
                      .header = packet.first(kIpv6HeaderSize),
                      .payload = packet.subspan(kIpv6HeaderSize + kFragmentHeaderSize)};
}

}  // namespace

std::optional<FragmentView> fragment_view(ConstBytes packet) noexcept {
  const std::optional<size_t> length = ip_length(packet);
  const std::optional<Ip> source = source_of(packet);
  const std::optional<Ip> destination = destination_of(packet);
  if (!length || !source || !destination) return {};
  const ConstBytes whole = packet.first(*length);
  return source->is_v4() ? view_of_v4(whole, *source, *destination) : view_of_v6(whole, *source, *destination);
}

Drop fragment(Packet packet, size_t mtu, uint32_t identification, PacketPool& pool, PacketBatch& out) noexcept {
  if (packet.size() <= mtu) {
    out.push_back(std::move(packet));
    return Drop::kNone;
  }
  const ConstBytes whole = std::as_const(packet).bytes();
  if (ip_length(whole) != whole.size()) return Drop::kBadIpLength;
  if (!may_be_cut(whole)) return Drop::kTooBig;
  const size_t before = out.size();
  const Drop drop = cut(whole, std::min(mtu, pool.largest_packet()), identification, pool, out);
  if (drop != Drop::kNone) out.erase(out.begin() + static_cast<ptrdiff_t>(before), out.end());
  return drop;
}

}  // namespace adit
