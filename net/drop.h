// Why a packet was dropped.  One enum, one name table, one counter each: tests assert on the reason, `adit show`
// prints the counters, and nobody has to ask where a packet went.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adit {

enum class Drop : uint8_t {
  kNone,  // not dropped
  // outer datagrams
  kBadLength,           // too short, too long, or not the size of its type
  kBadType,             // not one of the four WireGuard messages
  kBadMac,              // handshake message whose mac1 is not for us
  kUnderLoad,           // handshake message answered with a cookie
  kRateLimited,         // handshake message over its source's rate
  kForgedHandshake,     // handshake message that does not decrypt: wrong key, wrong PSK
  kUnknownPeer,         // well-formed initiation from a key nobody configured
  kReplayedInitiation,  // timestamp not newer than the last, or initiations too fast
  kUnconfirmed,         // session we answered that the peer never used: wrong PSK, or our answers get lost
  kUnknownIndex,        // receiver index that is not (or no longer) ours
  kBadCookie,           // cookie reply that does not decrypt or was not asked for
  kKeyExpired,          // session older than 180 s, or its counter used up
  kForged,              // data whose tag is wrong
  kReplayed,            // data counter seen before or too old
  // inner packets
  kNotIp,        // neither IPv4 nor IPv6
  kBadIpLength,  // the IP header's length does not fit the packet
  kWrongSource,  // inner source address is not in the sending peer's allowed IPs
  kBadEcn,       // marked "congestion" on the way, and the inner packet cannot carry the mark (RFC 6040 4.2)
  kNoRoute,      // no peer's allowed IPs hold the destination
  kNoEndpoint,   // the peer has no known endpoint yet
  kRoutingLoop,  // our own datagram: the way to the peer's endpoint leads into the tunnel
  kStageFull,    // waited for a session behind too many others: the oldest is dropped
  kStagePurged,  // waited for a session that never came
  kDown,         // the interface is down
  // forwarder
  kNotAllowed,       // client not in the rule's `from` table
  kFlowTableFull,    // rule has max_flows flows, and none of them may be pushed out
  kSourceFlowsFull,  // client has max_flows_per_source flows
  kSourceRate,       // client opens more than max_new_flows_per_source flows a second
  kNoPort,           // no SNAT port left towards the service, or another flow has the client's own endpoint there
  kNoAddress,        // no address of the service's IP version: of the gateway, or of a client that is to keep its own
  kTooBig,           // does not fit one tunnel packet, and may not be cut into fragments
  kBadChecksum,      // the service's answer has a wrong UDP or IPv4 header checksum
  kBadUdpLength,     // the service's answer has a UDP length that does not fit the packet
  // fragments
  kTinyFragment,     // holds nothing, or as the first less than the smallest link carries
  kBadFragment,      // not a multiple of 8 bytes, beyond 65,535, or at odds with the others about the datagram's end
  kFragmentOverlap,  // overlaps another: the datagram goes with it; or is another once more, which harms nobody
  kFragmentTimeout,  // the rest of the datagram did not come
  kFragmentsFull,    // too many incomplete datagrams, at all or from this source: the oldest is dropped
  // relay: connections
  kServiceRefused,      // the service's machine has nobody listening there
  kServiceTimeout,      // the service did not answer within connect_timeout
  kServiceUnreachable,  // no way to the service: no route, or the tunnel or somebody behind it says so
  kNoDescriptor,        // the process, or the system, has no file descriptor left
  // descriptors
  kTruncatedRead,  // datagram larger than a packet buffer
  kBadOffload,     // a super-packet of the tun whose header does not fit it
  kSocketFull,     // the UDP socket would block
  kSocketError,    // the UDP socket refused the datagram (unreachable, not permitted, ...)
  kTunFull,        // the tun device would block
  kTunError,       // the tun device refused the packet (down, ...)
  kNoTun,          // for the kernel, but there is no tun device (tun = false)
  kNoBuffer,       // every packet buffer is in use
  kCount
};

inline constexpr size_t kDropCount = static_cast<size_t>(Drop::kCount);

/// The reason in words, as `adit show` and its JSON write it: "wrong_source".
std::string_view drop_name(Drop reason) noexcept;

/// One counter per reason.
class DropCounters {
 public:
  void count(Drop reason, uint64_t packets = 1) noexcept { counts_[static_cast<size_t>(reason)] += packets; }
  [[nodiscard]] uint64_t operator[](Drop reason) const noexcept { return counts_[static_cast<size_t>(reason)]; }
  [[nodiscard]] uint64_t total() const noexcept;
  DropCounters& operator+=(const DropCounters& other) noexcept;

 private:
  std::array<uint64_t, kDropCount> counts_{};
};

}  // namespace adit
