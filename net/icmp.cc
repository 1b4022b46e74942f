#include "net/icmp.h"

#include <algorithm>

#include "net/checksum.h"
#include "net/ip.h"

namespace adit {
namespace {

constexpr uint8_t kIcmp = 1;
constexpr uint8_t kIcmpv6 = 58;
constexpr size_t kIcmpHeaderSize = 8;  // type, code, checksum, four unused bytes
constexpr size_t kLargestError4 = 576;
constexpr size_t kLargestError6 = 1280;

constexpr std::array<uint8_t, 2> kHostUnreachable = {3, 1};
constexpr std::array<uint8_t, 2> kAddressUnreachable = {1, 3};

bool is_one_host(const Ip& ip) noexcept {
  static const Ip broadcast = Ip::v4(0xffffffff);
  return !ip.is_unspecified() && !ip.is_multicast() && ip != broadcast;
}

/// What follows the IP headers of a packet's first fragment.
struct Upper {
  uint8_t protocol;
  ConstBytes bytes;
};

std::optional<Upper> upper_of_v4(ConstBytes packet) noexcept {
  constexpr uint16_t kFragmentOffset = 0x1fff;
  const size_t header = size_t{packet[0] & 0x0fu} * 4;
  if (header < kIpv4HeaderSize || header > packet.size()) return {};
  if ((load_be16(&packet[6]) & kFragmentOffset) != 0) return {};
  return Upper{packet[9], packet.subspan(header)};
}

bool is_extension(uint8_t protocol) noexcept {
  constexpr std::array<uint8_t, 4> kExtensions = {0, 43, 44, 60};  // hop-by-hop, routing, fragment, destination
  return std::ranges::find(kExtensions, protocol) != kExtensions.end();
}

/// RFC 8200 4: each extension header begins with the next one's protocol and its own length.
std::optional<Upper> upper_of_v6(ConstBytes packet) noexcept {
  constexpr uint8_t kFragment = 44;
  constexpr uint16_t kFragmentOffset = 0xfff8;
  Upper upper{packet[6], packet.subspan(kIpv6HeaderSize)};
  while (is_extension(upper.protocol)) {
    if (upper.bytes.size() < 8) return {};
    const bool is_fragment = upper.protocol == kFragment;
    if (is_fragment && (load_be16(&upper.bytes[2]) & kFragmentOffset) != 0) return {};
    const size_t size = is_fragment ? 8 : (size_t{upper.bytes[1]} + 1) * 8;
    if (size > upper.bytes.size()) return {};
    upper = {upper.bytes[0], upper.bytes.subspan(size)};
  }
  return upper;
}

bool is_icmp_error(uint8_t type) noexcept {
  constexpr std::array<uint8_t, 5> kErrors = {3, 4, 5, 11, 12};
  return std::ranges::find(kErrors, type) != kErrors.end();
}

bool is_icmpv6_error(uint8_t type) noexcept {
  constexpr uint8_t kFirstInformational = 128;
  constexpr uint8_t kRedirect = 137;
  return type < kFirstInformational || type == kRedirect;
}

/// A message whose type is cut off may be an error for all we know.
bool is_error(const Upper& upper) noexcept {
  if (upper.protocol == kIcmp) return upper.bytes.empty() || is_icmp_error(upper.bytes[0]);
  if (upper.protocol == kIcmpv6) return upper.bytes.empty() || is_icmpv6_error(upper.bytes[0]);
  return false;
}

/// Both checksums count the message; ICMPv6's also counts a pseudo-header.
void push_icmp(Packet& packet, const std::array<uint8_t, 2>& type_and_code, uint64_t pseudo_header_sum) noexcept {
  const Bytes header = packet.push_front(kIcmpHeaderSize);
  std::ranges::fill(header, uint8_t{0});
  std::ranges::copy(type_and_code, header.begin());
  store_be16(&header[2], checksum_finish(checksum_add(pseudo_header_sum, packet.bytes())));
}

}  // namespace

bool may_be_answered_with_error(ConstBytes packet) noexcept {
  const std::optional<size_t> length = ip_length(packet);
  const std::optional<Ip> source = source_of(packet);
  const std::optional<Ip> destination = destination_of(packet);
  if (!length || !source || !destination || !is_one_host(*source) || !is_one_host(*destination)) return false;
  const ConstBytes whole = packet.first(*length);
  const std::optional<Upper> upper = source->is_v4() ? upper_of_v4(whole) : upper_of_v6(whole);
  return upper && !is_error(*upper);
}

void make_host_unreachable(Packet& packet) noexcept {
  const Ip to = *source_of(packet.bytes());
  const Ip from = *destination_of(packet.bytes());
  const bool v4 = to.is_v4();
  const size_t largest = v4 ? kLargestError4 - kIpv4HeaderSize : kLargestError6 - kIpv6HeaderSize;
  packet.trim_to(std::min(packet.size(), largest - kIcmpHeaderSize));
  push_icmp(packet, v4 ? kHostUnreachable : kAddressUnreachable,
            v4 ? 0 : pseudo_header_sum(from, to, kIcmpv6, packet.size() + kIcmpHeaderSize));
  push_ip(packet, from, to, v4 ? kIcmp : kIcmpv6);
}

}  // namespace adit
