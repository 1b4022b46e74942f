#include "net/ip.h"

#include <algorithm>

#include "net/checksum.h"

namespace adit {
namespace {

// Offsets, in bytes.
// IPv4: 0 version and header length, 2 total length, 4 identification, 6 flags and fragment offset, 8 time to live,
// 9 protocol, 10 checksum, 12 source, 16 destination.
// IPv6: 0 version, class and flow, 4 payload length, 6 next header, 7 hop limit, 8 source, 24 destination.
constexpr uint8_t kHopLimit = 64;
// IPv6 fragment header: 0 next header, 2 offset and flags.
constexpr uint16_t kMoreFragmentsOrOffset = 0x3fff;
constexpr uint16_t kOffset = 0x1fff;
constexpr uint16_t kIpv6Offset = 0xfff8;

unsigned version_of(ConstBytes packet) noexcept { return packet.empty() ? 0 : packet[0] >> 4; }

bool has_ipv4_header(ConstBytes packet) noexcept { return version_of(packet) == 4 && packet.size() >= kIpv4HeaderSize; }
bool has_ipv6_header(ConstBytes packet) noexcept { return version_of(packet) == 6 && packet.size() >= kIpv6HeaderSize; }

std::optional<Ip> address_at(ConstBytes packet, size_t v4_offset, size_t v6_offset) noexcept {
  if (has_ipv4_header(packet)) return Ip::v4(packet.subspan(v4_offset).first<4>());
  if (!has_ipv6_header(packet)) return {};
  const Ip ip = Ip::v6(packet.subspan(v6_offset).first<16>());
  // A mapped address has no business on the wire (draft-itojun-v6ops-v4mapped-harmful), and here it would pass for the
  // IPv4 address that an allowed-IPs entry or a flow is about.
  if (ip.is_v4()) return {};
  return ip;
}

/// Where the UDP header begins in a packet that holds a whole UDP datagram.
std::optional<size_t> udp_offset(ConstBytes packet) noexcept {
  if (has_ipv6_header(packet)) {
    if (packet[6] != kProtocolUdp) return {};
    return kIpv6HeaderSize;
  }
  if (!has_ipv4_header(packet)) return {};
  if (packet[9] != kProtocolUdp || (load_be16(&packet[6]) & kMoreFragmentsOrOffset) != 0) return {};
  const size_t header = size_t{packet[0] & 0x0fu} * 4;
  if (header < kIpv4HeaderSize) return {};
  return header;
}

void push_ipv4(Packet& packet, const Ip& source, const Ip& destination, uint8_t protocol,
               uint16_t identification) noexcept {
  const Bytes header = packet.push_front(kIpv4HeaderSize);
  std::ranges::fill(header, uint8_t{0});
  header[0] = 0x45;
  store_be16(&header[2], static_cast<uint16_t>(packet.size()));
  store_be16(&header[4], identification);
  header[8] = kHopLimit;
  header[9] = protocol;
  std::ranges::copy(source.bytes(), &header[12]);
  std::ranges::copy(destination.bytes(), &header[16]);
  set_ipv4_checksum(header);
}

void push_ipv6(Packet& packet, const Ip& source, const Ip& destination, uint8_t protocol) noexcept {
  const auto payload_length = static_cast<uint16_t>(packet.size());
  const Bytes header = packet.push_front(kIpv6HeaderSize);
  std::ranges::fill(header, uint8_t{0});
  header[0] = 0x60;
  store_be16(&header[4], payload_length);
  header[6] = protocol;
  header[7] = kHopLimit;
  std::ranges::copy(source.bytes(), &header[8]);
  std::ranges::copy(destination.bytes(), &header[24]);
}

}  // namespace

std::optional<Ip> source_of(ConstBytes packet) noexcept { return address_at(packet, 12, 8); }
std::optional<Ip> destination_of(ConstBytes packet) noexcept { return address_at(packet, 16, 24); }

std::optional<size_t> ip_length(ConstBytes packet) noexcept {
  size_t length = 0;
  if (has_ipv4_header(packet)) {
    length = load_be16(&packet[2]);
    if (length < kIpv4HeaderSize) return {};
  } else if (has_ipv6_header(packet)) {
    length = kIpv6HeaderSize + load_be16(&packet[4]);
  } else {
    return {};
  }
  if (length > packet.size()) return {};
  return length;
}

std::optional<UdpView> udp_view(ConstBytes packet) noexcept {
  const std::optional<size_t> offset = udp_offset(packet);
  const std::optional<size_t> length = ip_length(packet);
  const std::optional<Ip> source = source_of(packet);
  const std::optional<Ip> destination = destination_of(packet);
  if (!offset || !length || !source || !destination || *length < *offset + kUdpHeaderSize) return {};
  const ConstBytes udp = packet.first(*length).subspan(*offset);
  return UdpView{.source = {*source, load_be16(&udp[0])},
                 .destination = {*destination, load_be16(&udp[2])},
                 .ip_header = packet.first(*offset),
                 .udp = udp};
}

ConstBytes udp_start(ConstBytes packet) noexcept {
  uint8_t protocol = 0;
  size_t headers = 0;
  if (has_ipv4_header(packet)) {
    if ((load_be16(&packet[6]) & kOffset) != 0) return {};
    protocol = packet[9];
    headers = size_t{packet[0] & 0x0fu} * 4;
    if (headers < kIpv4HeaderSize) return {};
  } else if (has_ipv6_header(packet)) {
    protocol = packet[6];
    headers = kIpv6HeaderSize;
    if (protocol == kProtocolFragment && packet.size() >= kIpv6HeaderSize + kFragmentHeaderSize) {
      if ((load_be16(&packet[kIpv6HeaderSize + 2]) & kIpv6Offset) != 0) return {};
      protocol = packet[kIpv6HeaderSize];
      headers += kFragmentHeaderSize;
    }
  }
  if (protocol != kProtocolUdp || packet.size() < headers + kUdpHeaderSize) return {};
  return packet.subspan(headers);
}

bool UdpView::length_fits() const noexcept {
  const size_t length = load_be16(&udp[4]);
  return length >= kUdpHeaderSize && length <= udp.size();
}

ConstBytes UdpView::payload() const noexcept { return udp.first(load_be16(&udp[4])).subspan(kUdpHeaderSize); }

bool UdpView::checksum_fits() const noexcept {
  if (!length_fits()) return false;
  if (load_be16(&udp[6]) == 0) return source.ip.is_v4();
  const size_t length = load_be16(&udp[4]);
  const uint64_t sum = pseudo_header_sum(source.ip, destination.ip, kProtocolUdp, length);
  return checksum_finish(checksum_add(sum, udp.first(length))) == 0;
}

void set_ipv4_checksum(Bytes header) noexcept {
  store_be16(&header[10], 0);
  store_be16(&header[10], checksum_finish(checksum_add(0, header)));
}

uint64_t pseudo_header_sum(const Ip& source, const Ip& destination, uint8_t protocol, size_t length) noexcept {
  return checksum_add(checksum_add(length + protocol, source.bytes()), destination.bytes());
}

void push_ip(Packet& packet, const Ip& source, const Ip& destination, uint8_t protocol,
             uint16_t identification) noexcept {
  if (source.is_v4()) return push_ipv4(packet, source, destination, protocol, identification);
  push_ipv6(packet, source, destination, protocol);
}

void push_udp(Packet& payload, const Endpoint& source, const Endpoint& destination, uint16_t identification) noexcept {
  const Bytes header = payload.push_front(kUdpHeaderSize);
  store_be16(&header[0], source.port);
  store_be16(&header[2], destination.port);
  store_be16(&header[4], static_cast<uint16_t>(payload.size()));
  store_be16(&header[6], 0);
  const uint64_t sum = pseudo_header_sum(source.ip, destination.ip, kProtocolUdp, payload.size());
  const uint16_t checksum = checksum_finish(checksum_add(sum, payload.bytes()));
  store_be16(&header[6], checksum == 0 ? 0xffff : checksum);  // zero would mean "none"
  push_ip(payload, source.ip, destination.ip, kProtocolUdp, identification);
}

}  // namespace adit
