#include "net/icmp_error.h"

#include "net/checksum.h"
#include "net/ip.h"

namespace adit {
namespace {

constexpr uint8_t kIcmp = 1;
constexpr uint8_t kIcmpv6 = 58;
constexpr size_t kIcmpHeaderSize = 8;  // type, code, checksum, four bytes of which kTooBig has the MTU
constexpr uint16_t kMoreFragmentsOrOffset4 = 0x3fff;
constexpr uint16_t kOffset4 = 0x1fff;
constexpr uint16_t kOffset6 = 0xfff8;
constexpr uint32_t kSmallestMtu4 = 68;
constexpr uint32_t kSmallestMtu6 = 1280;

/// As much of a UDP datagram as an error quotes.
struct Quote {
  Endpoint source;
  Endpoint destination;
  size_t length;  // of the whole IP packet
};

/// The ICMP message in a whole and right IP packet; empty when there is none.
ConstBytes message_of_v4(ConstBytes packet) noexcept {
  const size_t header = size_t{packet[0] & 0x0fu} * 4;
  if (packet[9] != kIcmp || (load_be16(&packet[6]) & kMoreFragmentsOrOffset4) != 0) return {};
  if (header < kIpv4HeaderSize || packet.size() < header + kIcmpHeaderSize) return {};
  const ConstBytes message = packet.subspan(header);
  if (checksum_finish(checksum_add(0, packet.first(header))) != 0) return {};
  return checksum_finish(checksum_add(0, message)) == 0 ? message : ConstBytes();
}

ConstBytes message_of_v6(ConstBytes packet, const Ip& source, const Ip& destination) noexcept {
  if (packet[6] != kIcmpv6 || packet.size() < kIpv6HeaderSize + kIcmpHeaderSize) return {};
  const ConstBytes message = packet.subspan(kIpv6HeaderSize);
  const uint64_t pseudo = pseudo_header_sum(source, destination, kIcmpv6, message.size());
  return checksum_finish(checksum_add(pseudo, message)) == 0 ? message : ConstBytes();
}

/// Where the UDP header begins in a quoted packet, of which the end may be missing; 0 when it holds none.
size_t udp_offset_of_v4(ConstBytes quoted) noexcept {
  const size_t header = size_t{quoted[0] & 0x0fu} * 4;
  if (quoted[9] != kProtocolUdp || (load_be16(&quoted[6]) & kOffset4) != 0) return 0;
  return header < kIpv4HeaderSize ? 0 : header;
}

size_t udp_offset_of_v6(ConstBytes quoted) noexcept {
  if (quoted[6] == kProtocolUdp) return kIpv6HeaderSize;
  if (quoted[6] != kProtocolFragment || quoted.size() < kIpv6HeaderSize + kFragmentHeaderSize) return 0;
  const bool is_first = (load_be16(&quoted[kIpv6HeaderSize + 2]) & kOffset6) == 0;
  return quoted[kIpv6HeaderSize] == kProtocolUdp && is_first ? kIpv6HeaderSize + kFragmentHeaderSize : 0;
}

std::optional<Quote> quote_of(ConstBytes quoted) noexcept {
  const std::optional<Ip> source = source_of(quoted);
  const std::optional<Ip> destination = destination_of(quoted);
  if (!source || !destination) return {};
  const bool v4 = source->is_v4();
  const size_t udp = v4 ? udp_offset_of_v4(quoted) : udp_offset_of_v6(quoted);
  const size_t length = v4 ? load_be16(&quoted[2]) : kIpv6HeaderSize + load_be16(&quoted[4]);
  const size_t least = udp + kUdpHeaderSize;
  if (udp == 0 || quoted.size() < least || length < least) return {};
  if (load_be16(&quoted[udp + 4]) < kUdpHeaderSize) return {};
  return Quote{{*source, load_be16(&quoted[udp])}, {*destination, load_be16(&quoted[udp + 2])}, length};
}

/// RFC 792, RFC 1122 3.2.2.1, RFC 1812 5.2.7.1.
std::optional<IcmpError::Kind> kind_of_v4(uint8_t type, uint8_t code) noexcept {
  constexpr uint8_t kUnreachable = 3;
  constexpr uint8_t kLastCode = 15;
  if (type != kUnreachable || code > kLastCode) return {};
  if (code == 4) return IcmpError::Kind::kTooBig;
  return code == 2 || code == 3 ? IcmpError::Kind::kPortUnreachable : IcmpError::Kind::kHostUnreachable;
}

/// RFC 4443 3.1, 3.2.
std::optional<IcmpError::Kind> kind_of_v6(uint8_t type, uint8_t code) noexcept {
  constexpr uint8_t kUnreachable = 1;
  constexpr uint8_t kPacketTooBig = 2;
  constexpr uint8_t kLastCode = 6;
  if (type == kPacketTooBig) return IcmpError::Kind::kTooBig;
  if (type != kUnreachable || code > kLastCode) return {};
  return code == 4 ? IcmpError::Kind::kPortUnreachable : IcmpError::Kind::kHostUnreachable;
}

}  // namespace

std::optional<IcmpError> icmp_error(ConstBytes packet) noexcept {
  const std::optional<size_t> length = ip_length(packet);
  const std::optional<Ip> source = source_of(packet);
  const std::optional<Ip> destination = destination_of(packet);
  if (!length || !source || !destination) return {};
  const bool v4 = source->is_v4();
  const ConstBytes whole = packet.first(*length);
  const ConstBytes message = v4 ? message_of_v4(whole) : message_of_v6(whole, *source, *destination);
  if (message.empty()) return {};
  const auto kind = v4 ? kind_of_v4(message[0], message[1]) : kind_of_v6(message[0], message[1]);
  const std::optional<Quote> quote = quote_of(message.subspan(kIcmpHeaderSize));
  if (!kind || !quote || quote->source.ip != *destination) return {};
  IcmpError error{.kind = *kind, .mtu = 0, .source = quote->source, .destination = quote->destination};
  if (error.kind != IcmpError::Kind::kTooBig) return error;
  error.mtu = v4 ? load_be16(&message[6]) : load_be32(&message[4]);
  if (error.mtu < (v4 ? kSmallestMtu4 : kSmallestMtu6) || error.mtu >= quote->length) return {};
  return error;
}

}  // namespace adit
