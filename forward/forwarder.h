// The port forwarder: UDP datagrams from outside clients become inner packets to a service behind a peer, and the
// service's answers become datagrams to the clients.  No I/O, no clock; knows neither keys nor tunnels.
//
// How it works.  A rule sends what arrives on each of its listeners to that listener's service.  The first datagram of
// a client opens a flow with two sides:
//
//     public side:  listener, client, local     the address the client used, so that the answer comes back from it
//     tunnel side:  ours -> remote              ours = the gateway's tunnel address and a port of the SNAT range, or
//                                               the client's own endpoint (Source::kKeep); remote = the service
//
// A flow is found by either side and lives until it has been idle for its state's timeout.  What the service sends to
// `ours` from `remote` goes back to the client; anything else from the tunnel is not ours.
//
// Payloads of up to 65,507 bytes pass both ways, in fragments inside the tunnel.  What a service's host says by ICMP
// about a flow is heard: that nobody is at the port (shown), and how much fits its way (kept for ten minutes).
//
// Files: forwarder.cc is the packets' way, open.cc says who may open a flow and who must give way to it, carry_over.cc
// hands flows from one forwarder to the next.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "forward/rule.h"
#include "net/datagram.h"
#include "net/drop.h"
#include "net/icmp_error.h"
#include "net/ip.h"
#include "net/reassembly.h"
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

enum class FlowState : uint8_t {
  kUnanswered,   // only the client has sent
  kAnswered,     // the service too
  kEstablished,  // ... and then the client again: it gets what is sent to it, so its address is not spoofed
};
inline constexpr std::array kFlowStates = {FlowState::kUnanswered, FlowState::kAnswered, FlowState::kEstablished};

/// A flow in terms that outlive its forwarder, which numbers listeners as its settings happen to.
struct SavedFlow {
  Endpoint listen;
  Endpoint client;
  Ip local;
  Endpoint ours;
  Endpoint remote;
  FlowState state = FlowState::kUnanswered;
  Duration idle{};  // since it was last used
  bool operator==(const SavedFlow&) const noexcept = default;
};

enum class Release : uint8_t {
  kNotOurs,   // an inner packet for somebody else, untouched
  kToPublic,  // now a payload for the client in `to`
  kTaken,     // ours and used up: a fragment that waits for others, or an error that a flow has met with
  kDropped,   // ours, but dropped and counted
};

/// What became of one packet of several.
struct Released {
  Release what;
  PublicSide to;  // where it is kToPublic
};

struct RuleStats {
  uint32_t flows = 0;              // now
  uint32_t flows_unanswered = 0;   // of those
  uint32_t flows_established = 0;  // of those
  uint64_t flows_opened = 0;       // ever
  uint64_t flows_evicted = 0;      // had to make room for others
  uint64_t packets_in = 0;         // from clients, forwarded
  uint64_t bytes_in = 0;           // their payload
  uint64_t packets_out = 0;        // to clients
  uint64_t bytes_out = 0;
  uint64_t unreachable = 0;     // errors from services' hosts that nobody is at the port, or no way there
  bool is_unreachable = false;  // one of them was the last that was heard
  DropCounters drops;

  /// What has been counted, and not what is.
  void add_counters_of(const RuleStats& other) noexcept;
};

/// A rule has become full: for want of a place or of a SNAT port a client was refused, or pushed another's flow out.
/// Or it has room again: a quarter of both is free.
struct Fullness {
  RuleId rule;
  bool is_full;
};

class FlowTable;
class SnatPorts;
class SourceCounts;
class SourceRates;

/// Times given to it never run backwards.
class Forwarder {
 public:
  /// Throws std::bad_alloc when there is no address space for the flows.
  explicit Forwarder(Settings settings);
  ~Forwarder();
  Forwarder(Forwarder&&) noexcept;
  Forwarder& operator=(Forwarder&&) noexcept;

  /// A payload (which may be empty) from a client becomes an inner packet to the service, appended to `inner`; the
  /// packet has udp_overhead() bytes of headroom.  Where it is larger than the MTU, or than what the service has said
  /// that the way to it takes, its fragments are appended, in packets of `pool`.  Anything but Drop::kNone: dropped and
  /// counted.  `from` is asked of a client's first datagram only.
  Drop from_public(const PublicSide& from, Packet packet, Time now, PacketPool& pool, PacketBatch& inner) noexcept;
  /// The same for a batch that has come in by a listener.  Among many flows it is faster: the memory of all is waited
  /// for at once.
  void from_public(ListenerId listener, std::span<Datagram> batch, Time now, PacketPool& pool,
                   PacketBatch& inner) noexcept;

  /// An inner packet from the tunnel: `kToPublic` when it is a service's answer, with its client in `to`.  Fragments
  /// that a service's host sends are put together first, whoever they are for.
  Release from_tunnel(Packet& packet, Time now, PublicSide& to) noexcept;
  /// The same for a batch; `released` becomes what has become of each.
  void from_tunnel(std::span<Packet> batch, Time now, std::vector<Released>& released);

  /// Largest inner packet from now on.
  void set_mtu(uint16_t mtu) noexcept { mtu_ = mtu; }

  /// Frees flows that have been idle for their timeout (or up to a sixteenth longer, behind others that were used
  /// meanwhile), a bounded number per call.
  void expire(Time now) noexcept;
  /// When expire() next may have something to do (in the past, when it stopped at its bound); kNever without flows.
  /// Never too late; flows used since the last expire() may make it too early.
  [[nodiscard]] Time next_deadline() const noexcept;

  [[nodiscard]] size_t rule_count() const noexcept;
  [[nodiscard]] const Rule& rule(RuleId id) const noexcept;
  [[nodiscard]] const RuleStats& stats(RuleId id) const noexcept;
  /// Of no rule: fragments.
  [[nodiscard]] const DropCounters& drops() const noexcept { return drops_; }
  /// Rules that have become full since this was last asked, and those that expire() found to have room again.
  [[nodiscard]] std::vector<Fullness> take_fullness();
  /// Whether take_fullness() has something to say.
  [[nodiscard]] bool has_fullness() const noexcept { return !fullness_changed_.empty(); }

  /// All flows, each rule's of one state from the longest idle on.
  [[nodiscard]] std::vector<SavedFlow> save(Time now) const;
  /// Takes over flows of another forwarder before this one has any, and says how many.  Left out are those that could
  /// not have come about here: no listener there, another service, another source address, a client that may not, no
  /// such port; those whose time is up; and, of more than the limits admit, first the unanswered and the long idle.
  size_t restore(std::span<const SavedFlow> saved, Time now);
  /// Goes on where `old` has stopped, before anything else: its flows as above, its counters where rules have the same
  /// name, what fits the way to a listener's service where that is the same, its fragments.
  void take_over(Forwarder& old, Time now);

 private:
  struct ListenerState;  // where it leads to
  struct RuleState;      // a rule and what has happened to it

  // forwarder.cc
  void set_grains(RuleId id) noexcept;
  Drop from_public(const PublicSide& from, uint64_t hash, Packet packet, Time now, PacketPool& pool,
                   PacketBatch& inner) noexcept;
  Drop forward(const PublicSide& from, uint64_t hash, Packet packet, Time now, PacketPool& pool,
               PacketBatch& inner) noexcept;
  Release answer(Packet& packet, const UdpView& view, uint64_t hash, Time now, PublicSide& to) noexcept;
  Release odd_packet(Packet& packet, Time now, PublicSide& to) noexcept;
  void client_spoke(uint32_t flow, Time now) noexcept;
  void service_spoke(uint32_t flow, Time now) noexcept;
  void close(uint32_t flow) noexcept;
  [[nodiscard]] Time deadline_of(uint32_t flow) const noexcept;
  void find_room() noexcept;
  void set_full(RuleId id, bool is_full) noexcept;

  // open.cc
  [[nodiscard]] Drop may_use(const PublicSide& from) const noexcept;
  Drop open(const PublicSide& from, Time now, uint32_t& flow) noexcept;
  [[nodiscard]] bool may_keep(const ListenerState& listener, const Endpoint& client) const noexcept;
  [[nodiscard]] uint32_t least_worth(const ListenerState& listener, bool for_its_port) const noexcept;
  void evict(uint32_t flow) noexcept;
  uint32_t enter(const PublicSide& from, Time now) noexcept;
  void note_full(const ListenerState& listener, bool lacks_port) noexcept;

  // odd_packets.cc
  Release put_together(Packet& packet, Time now) noexcept;
  Release hear_error(const IcmpError& error, Time now) noexcept;
  [[nodiscard]] uint16_t mtu_of(const ListenerState& listener, Time now) const noexcept;

  // carry_over.cc
  void adopt_stats(const Forwarder& old);
  void adopt_path_mtus(const Forwarder& old);
  bool restore(const SavedFlow& saved, ListenerId listener, Time now);

  uint16_t mtu_;
  std::optional<Ip> our_v4_;
  std::optional<Ip> our_v6_;
  bool keeps_sources_ = false;        // a rule does, so that answers go to any address
  uint16_t next_identification_ = 0;  // of IPv4 packets to services
  uint32_t next_fragmented_;          // identification of the next packet that is cut
  Time earliest_ = kNever;            // no flow's time is up before
  std::vector<RuleState> rules_;
  std::vector<ListenerState> listeners_;
  std::vector<SnatPorts> ports_;  // one per service
  std::unique_ptr<FlowTable> flows_;
  std::unique_ptr<SourceCounts> sources_;
  std::unique_ptr<SourceRates> rates_;
  std::unique_ptr<Reassembler> reassembler_;  // of what services' hosts send
  std::vector<Ip> services_;                  // their addresses, in order
  DropCounters drops_;
  std::vector<RuleId> full_;              // rules
  std::vector<RuleId> fullness_changed_;  // rules, each once
};

}  // namespace adit::forward
