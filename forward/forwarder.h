// The port forwarder: UDP datagrams from outside clients become inner packets to a service behind a peer, and the
// service's answers become datagrams to the clients.  No I/O, no clock; knows neither keys nor tunnels.
//
// How it works.  A rule sends what arrives on its listeners to one service.  The first datagram of a client opens a
// flow with two sides:
//
//     public side:  listener, client, local     the address the client used, so that the answer comes back from it
//     tunnel side:  ours -> remote              ours = the gateway's tunnel address and a port of the SNAT range
//
// A flow is found by either side and lives until it has been idle for the rule's idle_timeout.  What the service sends
// to `ours` from `remote` goes back to the client; anything else from the tunnel is not ours.
//
// Not handled here: payloads larger than one tunnel packet (dropped as too big), fragments (not ours), ICMP.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forward/rule.h"
#include "net/datagram.h"
#include "net/drop.h"
#include "net/time.h"

namespace adit::forward {

struct Settings {
  std::vector<Rule> rules;
  std::optional<Ip> our_v4;  // the gateway's tunnel addresses: what services see as source (SNAT)
  std::optional<Ip> our_v6;
  uint16_t mtu = 1420;  // largest inner packet
  /// SNAT ports, each used once towards each service; the first is not 0.  They must be none of the kernel's ephemeral
  /// ports, or its own connections through the tun meet flows: snat_range_beside() chooses.  The default is below
  /// Linux's usual 32768-60999.
  uint16_t first_snat_port = 16384;
  uint16_t last_snat_port = 32767;
  /// Keys the hash tables.  Draw it once per process and keep it secret, lest clients choose colliding addresses.
  uint64_t seed = 0;
};

/// The outside half of a flow.
struct PublicSide {
  ListenerId listener = 0;
  Endpoint client;
  Ip local;  // the address the client sent to
  bool operator==(const PublicSide&) const noexcept = default;
};

enum class Release : uint8_t {
  kNotOurs,   // an inner packet for somebody else, untouched
  kToPublic,  // now a payload for the client in `to`
  kDropped,   // ours, but dropped and counted
};

struct RuleStats {
  uint32_t flows = 0;         // now
  uint64_t flows_opened = 0;  // ever
  uint64_t packets_in = 0;    // from clients, forwarded
  uint64_t bytes_in = 0;      // their payload
  uint64_t packets_out = 0;   // to clients
  uint64_t bytes_out = 0;
  DropCounters drops;
};

class FlowTable;
class SnatPorts;
class SourceCounts;

/// Times given to it never run backwards.
class Forwarder {
 public:
  /// Throws std::bad_alloc when there is no address space for the flows.
  explicit Forwarder(Settings settings);
  ~Forwarder();
  Forwarder(Forwarder&&) noexcept;
  Forwarder& operator=(Forwarder&&) noexcept;

  /// A payload (which may be empty) from a client becomes an inner packet to the service; the packet has
  /// udp_overhead() bytes of headroom.  Anything but Drop::kNone: dropped, counted, and the packet is not to be used.
  /// `from` is asked of a client's first datagram only.
  Drop from_public(const PublicSide& from, Packet& packet, Time now) noexcept;

  /// An inner packet from the tunnel: `kToPublic` when it is a service's answer, with its client in `to`.
  Release from_tunnel(Packet& packet, Time now, PublicSide& to) noexcept;

  /// Frees flows that have been idle for their rule's idle_timeout, a bounded number per call.
  void expire(Time now) noexcept;
  /// When expire() next has something to do (in the past, when it stopped at its bound); kNever without flows.
  [[nodiscard]] Time next_deadline() const noexcept;

  [[nodiscard]] size_t rule_count() const noexcept;
  [[nodiscard]] const Rule& rule(RuleId id) const noexcept;
  [[nodiscard]] const RuleStats& stats(RuleId id) const noexcept;

 private:
  struct ListenerState;  // where it leads to
  struct RuleState;      // a rule and what has happened to it

  Drop forward(const PublicSide& from, Packet& packet, Time now) noexcept;
  [[nodiscard]] Drop may_open(const PublicSide& from) const noexcept;
  uint32_t open(const PublicSide& from, Time now) noexcept;
  void close(uint32_t flow) noexcept;
  [[nodiscard]] Time deadline_of(RuleId id) const noexcept;

  uint16_t mtu_;
  uint16_t next_identification_ = 0;  // of IPv4 packets to services
  std::vector<RuleState> rules_;
  std::vector<ListenerState> listeners_;
  std::vector<SnatPorts> ports_;  // one per service
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<SourceCounts> sources_;
};

}  // namespace adit::forward
