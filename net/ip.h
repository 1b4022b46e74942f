// IPv4 (RFC 791), IPv6 (RFC 8200) and UDP (RFC 768) headers, bounds-checked.  Pure functions on bytes.
#pragma once

#include <optional>

#include "net/addr.h"
#include "net/packet.h"

namespace adit {

inline constexpr size_t kIpv4HeaderSize = 20;
inline constexpr size_t kIpv6HeaderSize = 40;
inline constexpr size_t kUdpHeaderSize = 8;
inline constexpr size_t kFragmentHeaderSize = 8;  // IPv6's
inline constexpr uint8_t kProtocolUdp = 17;
inline constexpr uint8_t kProtocolFragment = 44;

/// Addresses of an inner packet.  Empty when it is neither IPv4 nor IPv6, when its fixed header is not all there, or
/// for an IPv4-mapped address in an IPv6 header.
std::optional<Ip> source_of(ConstBytes packet) noexcept;
std::optional<Ip> destination_of(ConstBytes packet) noexcept;

/// The length that the IP header claims, if the header is all there and the claim fits `packet` (which may be longer:
/// WireGuard pads).  Empty otherwise.
std::optional<size_t> ip_length(ConstBytes packet) noexcept;

/// A whole UDP datagram inside an IP packet.  Empty for every other protocol, for fragments, and for IPv6 with
/// extension headers; those belong to somebody else.
struct UdpView {
  Endpoint source;
  Endpoint destination;
  ConstBytes ip_header;  // with IPv4 options
  ConstBytes udp;        // UDP header and what follows it in the IP packet

  /// Whether the UDP length fits: at least a header, at most what the IP packet holds.
  [[nodiscard]] bool length_fits() const noexcept;
  /// UDP payload; length_fits() must hold.
  [[nodiscard]] ConstBytes payload() const noexcept;
  /// Whether the UDP length fits and the checksum is right; a zero checksum passes on IPv4 and fails on IPv6
  /// (RFC 8200 8.1).
  [[nodiscard]] bool checksum_fits() const noexcept;
};
std::optional<UdpView> udp_view(ConstBytes packet) noexcept;

/// The UDP header and what of its datagram is in this packet: all of it, or the first of its fragments (padding may
/// follow).  At least a UDP header.  Empty for everything else.
ConstBytes udp_start(ConstBytes packet) noexcept;

/// The pseudo-header's part of a checksum (RFC 768; RFC 8200 8.1), for checksum_add().
uint64_t pseudo_header_sum(const Ip& source, const Ip& destination, uint8_t protocol, size_t length) noexcept;

/// Computes the checksum of an IPv4 header, options included, in its place.
void set_ipv4_checksum(Bytes header) noexcept;

/// Pushes an IP header in front of what it carries; no options, traffic class 0.  Both addresses are of one version;
/// the packet has headroom for the header and a length that fits 16 bits.  For `identification` see push_udp().
void push_ip(Packet& packet, const Ip& source, const Ip& destination, uint8_t protocol,
             uint16_t identification = 0) noexcept;

/// Bytes of IP and UDP header that push_udp() puts in front for this version of IP.
constexpr size_t udp_overhead(bool v4) noexcept { return (v4 ? kIpv4HeaderSize : kIpv6HeaderSize) + kUdpHeaderSize; }

/// Pushes UDP and IP headers in front of a payload, checksums included.  Both endpoints are of one version; the packet
/// has udp_overhead() bytes of headroom and a payload that fits 16-bit lengths.
/// `identification` is IPv4's: different for packets that may be fragmented on the same way (RFC 6864 4.3).
void push_udp(Packet& payload, const Endpoint& source, const Endpoint& destination,
              uint16_t identification = 0) noexcept;

}  // namespace adit
