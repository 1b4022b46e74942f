#include "net/coalesce.h"

#include <algorithm>
#include <optional>

#include "net/checksum.h"
#include "net/ip.h"
#include "net/tcp.h"

namespace adit {

/// A whole TCP segment or UDP datagram behind an IP header without options or extensions.
struct Coalescer::Candidate {
  Bytes bytes;
  bool v4;
  bool tcp;
  bool joinable;  // by its own nature
  size_t ip_header;
  size_t headers;  // IP and transport

  [[nodiscard]] size_t payload() const noexcept { return bytes.size() - headers; }
  [[nodiscard]] const uint8_t* transport() const noexcept { return &bytes[ip_header]; }
  [[nodiscard]] uint8_t flags() const noexcept { return bytes[ip_header + kTcpFlagsAt]; }
};

namespace {

constexpr size_t kLargest = 65535;  // what an IP header can say
constexpr uint16_t kDontFragment = 0x4000;

using Candidate = Coalescer::Candidate;

struct Network {
  size_t header;
  uint8_t protocol;
};

/// Empty for what has options or extensions, is a fragment, or is not as long as it says.
std::optional<Network> network_of(ConstBytes bytes) noexcept {
  if (bytes.size() >= kIpv4HeaderSize && bytes[0] == 0x45) {
    const bool is_fragment = (load_be16(&bytes[6]) & ~kDontFragment) != 0;
    if (is_fragment || load_be16(&bytes[2]) != bytes.size()) return {};
    return Network{kIpv4HeaderSize, bytes[9]};
  }
  if (bytes.size() < kIpv6HeaderSize || bytes[0] >> 4 != 6) return {};
  if (load_be16(&bytes[4]) + kIpv6HeaderSize != bytes.size()) return {};
  return Network{kIpv6HeaderSize, bytes[6]};
}

/// Nothing that asks for attention: data that was acknowledged so far, perhaps the last for now.
bool is_plain_data(const Candidate& tcp) noexcept {
  return tcp.payload() > 0 && (tcp.flags() & ~(kTcpPsh | kTcpEce)) == kTcpAck;
}

bool has_checksum_and_length(ConstBytes udp) noexcept {
  return load_be16(&udp[kUdpChecksumAt]) != 0 && load_be16(&udp[kUdpLengthAt]) == udp.size() &&
         udp.size() > kUdpHeaderSize;
}

uint64_t pseudo_sum(const Candidate& candidate, size_t transport_size) noexcept {
  const ConstBytes addresses = candidate.v4 ? candidate.bytes.subspan(12, 8) : candidate.bytes.subspan(8, 32);
  return checksum_add((candidate.tcp ? kProtocolTcp : kProtocolUdp) + transport_size, addresses);
}

bool checksums_fit(const Candidate& candidate) noexcept {
  if (candidate.v4 && checksum_finish(checksum_add(0, candidate.bytes.first(kIpv4HeaderSize))) != 0) return false;
  const ConstBytes transport = candidate.bytes.subspan(candidate.ip_header);
  return checksum_finish(checksum_add(pseudo_sum(candidate, transport.size()), transport)) == 0;
}

bool same(ConstBytes a, ConstBytes b, size_t begin, size_t end) noexcept {
  return std::memcmp(&a[begin], &b[begin], end - begin) == 0;
}

/// Whether the receiver sees the same in both headers but for what a super-packet counts up itself: lengths, IPv4's
/// identification and checksums, sequence numbers.
bool look_alike(ConstBytes first, const Candidate& next) noexcept {
  const bool same_network = next.v4 ? same(first, next.bytes, 0, 2) && same(first, next.bytes, 6, 10)
                                    : same(first, next.bytes, 0, 4) && same(first, next.bytes, 6, 8);
  if (!same_network || !next.tcp) return same_network;
  const size_t tcp = next.ip_header;
  return same(first, next.bytes, tcp + kTcpAcknowledgmentAt, tcp + kTcpFlagsAt) &&
         (first[tcp + kTcpFlagsAt] & ~kTcpPsh) == (next.flags() & ~kTcpPsh) &&
         same(first, next.bytes, tcp + kTcpFlagsAt + 1, tcp + kTcpChecksumAt) &&
         same(first, next.bytes, tcp + kTcpChecksumAt + 2, next.headers);
}

/// IPv4's identification means nothing where fragmenting is forbidden (RFC 6864); elsewhere it must count up, as it
/// will when the super-packet is cut again.
bool identification_continues(ConstBytes first, const Candidate& next, size_t number) noexcept {
  if (!next.v4 || (load_be16(&first[6]) & kDontFragment) != 0) return true;
  return load_be16(&next.bytes[4]) == static_cast<uint16_t>(load_be16(&first[4]) + number);
}

std::optional<Candidate> candidate_in(Packet& packet, Coalescer::Allowed allowed) noexcept {
  const Bytes bytes = packet.bytes();
  const std::optional<Network> network = network_of(bytes);
  if (!network) return {};
  const bool tcp = network->protocol == kProtocolTcp;
  if (tcp ? !allowed.tcp : network->protocol != kProtocolUdp || !allowed.udp) return {};
  const size_t least = network->header + (tcp ? kTcpHeaderSize : kUdpHeaderSize);
  if (bytes.size() < least) return {};
  const size_t headers = tcp ? network->header + tcp_header_size(&bytes[network->header]) : least;
  if (headers < least || headers > bytes.size()) return {};

  Candidate candidate{bytes, network->header == kIpv4HeaderSize, tcp, false, network->header, headers};
  candidate.joinable = tcp ? is_plain_data(candidate) : has_checksum_and_length(bytes.subspan(network->header));
  return candidate;
}

/// Of what is no candidate: whether it may belong to a flow of an allowed kind all the same, as fragments do, and what
/// is behind IPv6 extension headers.  What other protocols carry does not.
bool may_be_of_a_flow(ConstBytes bytes, Coalescer::Allowed allowed) noexcept {
  constexpr uint8_t kIcmpv6 = 58;
  const bool v4 = !bytes.empty() && bytes[0] >> 4 == 4;
  if (bytes.size() < (v4 ? kIpv4HeaderSize : kIpv6HeaderSize)) return false;
  const uint8_t protocol = bytes[v4 ? 9 : 6];
  if (protocol == kProtocolTcp) return allowed.tcp;
  if (protocol == kProtocolUdp) return allowed.udp;
  return !v4 && protocol != kIcmpv6;
}

}  // namespace

void Coalescer::form(std::span<Packet> packets, Allowed allowed) noexcept {
  packets_ = packets;
  runs_.clear();
  links_.resize(packets.size());
  for (size_t i = 0; i < packets.size(); ++i) add(packets[i], i, allowed);
  finish_all();
}

void Coalescer::add(Packet& packet, size_t index, Allowed allowed) noexcept {
  const std::optional<Candidate> candidate = candidate_in(packet, allowed);
  if (!candidate) {
    if (may_be_of_a_flow(packet.bytes(), allowed)) finish_all();  // of which, nobody can tell: none may overtake it
    return add_alone(index);
  }
  Open* const flow = find(*candidate);
  if (flow != nullptr && joins(*flow, *candidate)) return join(*flow, *candidate, index);
  // Whatever it is, what comes later in this flow must not overtake it.
  open(*candidate, index, flow);
}

void Coalescer::add_alone(size_t index) noexcept { runs_.push_back({{}, 1, index}); }

void Coalescer::open(const Candidate& candidate, size_t index, Open* place) noexcept {
  if (place == nullptr && open_count_ < kOpenFlows) {
    place = &open_[open_count_++];
  } else {
    if (place == nullptr) place = &open_[oldest_++ % kOpenFlows];
    finish(*place);
  }
  const uint32_t sequence = candidate.tcp ? load_be32(candidate.transport() + kTcpSequenceAt) : 0;
  *place = {runs_.size(),
            index,
            candidate.v4,
            candidate.tcp,
            false,
            !candidate.joinable || (candidate.tcp && (candidate.flags() & kTcpPsh) != 0),
            candidate.headers,
            candidate.payload(),
            candidate.bytes.size(),
            sequence + static_cast<uint32_t>(candidate.payload())};
  add_alone(index);
}

/// The newest run of the same flow.
Coalescer::Open* Coalescer::find(const Candidate& candidate) noexcept {
  const auto is_of_flow = [&](const Open& open) {
    if (open.v4 != candidate.v4 || open.tcp != candidate.tcp) return false;
    const ConstBytes first = packets_[runs_[open.run].first].bytes();
    return candidate.v4 ? same(first, candidate.bytes, 12, 24) : same(first, candidate.bytes, 8, 44);  // with ports
  };
  const auto end = open_.begin() + static_cast<std::ptrdiff_t>(open_count_);
  const auto found = std::find_if(open_.begin(), end, is_of_flow);
  return found == end ? nullptr : &*found;
}

/// The cheap questions first; both packets' checksums last.
bool Coalescer::joins(Open& open, const Candidate& candidate) noexcept {
  const Run& run = runs_[open.run];
  Packet& first = packets_[run.first];
  if (open.closed || !candidate.joinable || run.packets == kMaxPieces || candidate.headers != open.headers)
    return false;
  if (candidate.payload() > open.segment_size || open.total + candidate.payload() > kLargest) return false;
  if (open.tcp && load_be32(candidate.transport() + kTcpSequenceAt) != open.next_sequence) return false;
  if (!look_alike(first.bytes(), candidate)) return false;
  if (!identification_continues(first.bytes(), candidate, run.packets)) return false;
  if (!open.verified && !checksums_fit({first.bytes(), open.v4, open.tcp, true, candidate.ip_header, open.headers})) {
    open.closed = true;
    return false;
  }
  open.verified = true;
  return checksums_fit(candidate);
}

void Coalescer::join(Open& open, const Candidate& candidate, size_t index) noexcept {
  links_[open.last].next = index;
  links_[index].headers = candidate.headers;
  open.last = index;
  open.total += candidate.payload();
  open.next_sequence += static_cast<uint32_t>(candidate.payload());
  ++runs_[open.run].packets;
  const bool is_pushed = candidate.tcp && (candidate.flags() & kTcpPsh) != 0;
  if (is_pushed) packets_[runs_[open.run].first].bytes()[candidate.ip_header + kTcpFlagsAt] |= kTcpPsh;
  open.closed = is_pushed || candidate.payload() < open.segment_size;
}

/// Makes the first packet's headers those of all together.
void Coalescer::finish(Open& open) noexcept {
  Run& run = runs_[open.run];
  if (run.packets == 1) return;
  const Bytes bytes = packets_[run.first].bytes();
  const size_t ip_header = open.v4 ? kIpv4HeaderSize : kIpv6HeaderSize;
  const size_t transport_size = open.total - ip_header;
  if (open.v4) {
    store_be16(&bytes[2], static_cast<uint16_t>(open.total));
    set_ipv4_checksum(bytes.first(kIpv4HeaderSize));
  } else {
    store_be16(&bytes[4], static_cast<uint16_t>(transport_size));
  }
  if (!open.tcp) store_be16(&bytes[ip_header + kUdpLengthAt], static_cast<uint16_t>(transport_size));
  const size_t checksum = open.tcp ? kTcpChecksumAt : kUdpChecksumAt;
  const Candidate whole{bytes, open.v4, open.tcp, true, ip_header, open.headers};
  // The part of the pseudo-header, not complemented: the kernel adds the rest.
  store_be16(&bytes[ip_header + checksum], static_cast<uint16_t>(~checksum_finish(pseudo_sum(whole, transport_size))));

  using Gso = VnetHeader::Gso;
  const Gso kind = !open.tcp ? Gso::kUdp : open.v4 ? Gso::kTcp4 : Gso::kTcp6;
  run.header = {VnetHeader::kNeedsChecksum,          static_cast<uint8_t>(kind),
                static_cast<uint16_t>(open.headers), static_cast<uint16_t>(open.segment_size),
                static_cast<uint16_t>(ip_header),    static_cast<uint16_t>(checksum)};
}

void Coalescer::finish_all() noexcept {
  for (size_t i = 0; i < open_count_; ++i) finish(open_[i]);
  open_count_ = oldest_ = 0;
}

std::span<const ConstBytes> Coalescer::pieces(const Run& run, Pieces& room) const noexcept {
  room[0] = packets_[run.first].bytes();
  size_t index = run.first;
  for (size_t i = 1; i < run.packets; ++i) {
    index = links_[index].next;
    room[i] = packets_[index].bytes().subspan(links_[index].headers);
  }
  return std::span(room).first(run.packets);
}

}  // namespace adit
