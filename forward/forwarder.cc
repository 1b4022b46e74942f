#include "forward/forwarder.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

#include "forward/forwarder_state.h"
#include "forward/rewrite.h"
#include "net/fragment.h"

namespace adit::forward {
namespace {

/// Most flows one expire() frees: a tenth of a millisecond of work with cold caches, so that packets hardly wait.
constexpr unsigned kMostExpiredPerCall = 256;
/// How many packets before its own a flow is asked for: work for longer than memory takes, and no more lines than a
/// processor waits for at a time.
constexpr size_t kAhead = 10;

TunnelSide tunnel_side_of(const UdpView& answer) noexcept {
  return {.ours = answer.destination, .remote = answer.source};
}

}  // namespace

Forwarder::Forwarder(Settings settings)
    : mtu_(settings.mtu),
      our_v4_(settings.our_v4),
      our_v6_(settings.our_v6),
      next_fragmented_(static_cast<uint32_t>(settings.seed >> 32)) {
  const PortRange range{settings.first_snat_port, settings.last_snat_port};
  std::map<Endpoint, uint32_t> services;
  uint32_t capacity = 0;
  for (Rule& rule : settings.rules) {
    for (const auto& [listen, service] : rule.listeners) {
      const std::optional<Ip>& ours = service.ip.is_v4() ? settings.our_v4 : settings.our_v6;
      listeners_.push_back({static_cast<RuleId>(rules_.size()), listen, service, ours});
      services_.push_back(service.ip);
      keeps_sources_ |= rule.source == Source::kKeep;
      if (rule.source == Source::kKeep) continue;
      const auto [known, is_new] = services.try_emplace(service, static_cast<uint32_t>(ports_.size()));
      if (is_new) ports_.emplace_back(range, hash_endpoint(service, settings.seed));
      listeners_.back().ports = known->second;
    }
    capacity += rule.max_flows;
    const uint32_t rate = rule.max_new_flows_per_source;
    const Duration cost = rate == 0 ? Duration{} : SourceRates::kBurst / rate;
    rules_.push_back({.rule = std::move(rule), .cost_of_new_flow = cost, .stats = {}});
  }
  flows_ = std::make_unique<FlowTable>(rules_.size(), capacity, settings.seed);
  for (RuleId id = 0; id < rules_.size(); ++id) set_grains(id);
  sources_ = std::make_unique<SourceCounts>(capacity, settings.seed);
  rates_ = std::make_unique<SourceRates>(settings.seed);
  if (!rules_.empty()) reassembler_ = std::make_unique<Reassembler>(Reassembler::Limits{});
  std::ranges::sort(services_);
  full_.reserve(rules_.size());
  fullness_changed_.reserve(rules_.size());
}

/// A flow outlives its timeout by a sixteenth at most, and only behind one that was used meanwhile.
void Forwarder::set_grains(RuleId id) noexcept {
  const auto grain_of = [](Duration timeout) { return std::chrono::floor<seconds>(timeout / 16); };
  const Rule& rule = rules_[id].rule;
  flows_->set_grain(id, FlowState::kUnanswered, grain_of(rule.unanswered_timeout));
  flows_->set_grain(id, FlowState::kAnswered, grain_of(rule.idle_timeout));
  flows_->set_grain(id, FlowState::kEstablished, grain_of(rule.idle_timeout));
}

Forwarder::~Forwarder() = default;
Forwarder::Forwarder(Forwarder&&) noexcept = default;
Forwarder& Forwarder::operator=(Forwarder&&) noexcept = default;

size_t Forwarder::rule_count() const noexcept { return rules_.size(); }
const Rule& Forwarder::rule(RuleId id) const noexcept { return rules_[id].rule; }
const RuleStats& Forwarder::stats(RuleId id) const noexcept { return rules_[id].stats; }

// Packets.

Drop Forwarder::from_public(const PublicSide& from, Packet packet, Time now, PacketPool& pool,
                            PacketBatch& inner) noexcept {
  return from_public(from, flows_->hash(from), std::move(packet), now, pool, inner);
}

void Forwarder::from_public(ListenerId listener, std::span<Datagram> batch, Time now, PacketPool& pool,
                            PacketBatch& inner) noexcept {
  std::array<PublicSide, kBatchSize> sides;
  std::array<FlowHash, kBatchSize> hashes;
  while (!batch.empty()) {
    const size_t count = std::min(batch.size(), kBatchSize);
    for (size_t i = 0; i < count; ++i) {
      sides[i] = {listener, batch[i].remote, batch[i].local.ip};
      hashes[i] = flows_->hash(sides[i]);
      flows_->prefetch_public_bucket(hashes[i]);
    }
    for (size_t i = 0; i < std::min(count, kAhead); ++i) flows_->prefetch_public(hashes[i]);
    for (size_t i = 0; i < count; ++i) {
      if (i + kAhead < count) flows_->prefetch_public(hashes[i + kAhead]);
      from_public(sides[i], hashes[i], std::move(batch[i].packet), now, pool, inner);
    }
    batch = batch.subspan(count);
  }
}

Drop Forwarder::from_public(const PublicSide& from, FlowHash hash, Packet packet, Time now, PacketPool& pool,
                            PacketBatch& inner) noexcept {
  assert(from.listener < listeners_.size());
  RuleStats& stats = rules_[listeners_[from.listener].rule].stats;
  const size_t payload_size = packet.size();
  const Drop drop = forward(from, hash, std::move(packet), now, pool, inner);
  if (drop != Drop::kNone) {
    stats.drops.count(drop);
    return drop;
  }
  ++stats.packets_in;
  stats.bytes_in += payload_size;
  return Drop::kNone;
}

Drop Forwarder::forward(const PublicSide& from, FlowHash hash, Packet packet, Time now, PacketPool& pool,
                        PacketBatch& inner) noexcept {
  FlowIndex flow = flows_->find(from, hash);
  if (flow == kNoFlow) {
    const Drop drop = may_use(from);
    if (drop != Drop::kNone) return drop;
  }
  // Before anything changes: a datagram that goes nowhere neither opens a flow nor keeps one alive.
  const ListenerState& listener = listeners_[from.listener];
  if (!fits_udp(packet.size(), listener.service.ip.is_v4())) return Drop::kTooBig;
  if (flow == kNoFlow) {
    const Drop drop = open(from, now, flow);
    if (drop != Drop::kNone) return drop;
  } else {
    client_spoke(flow, now);
  }
  const TunnelSide inside = listener.tunnel_side(from.client, (*flows_)[flow].our_port);
  const uint16_t mtu = mtu_of(listener, now);
  if (packet.size() + udp_overhead(inside.remote.ip.is_v4()) > mtu) {
    // Numbers of their own: among those of all packets they would come round before fragments are late (RFC
    // 6864 5.3.1).
    const uint32_t identification = next_fragmented_++;
    wrap_udp(packet, inside, static_cast<uint16_t>(identification));
    return fragment(std::move(packet), mtu, identification, pool, inner);
  }
  wrap_udp(packet, inside, next_identification_++);
  inner.push_back(std::move(packet));
  return Drop::kNone;
}

Release Forwarder::from_tunnel(Packet& packet, Time now, PublicSide& to) noexcept {
  const std::optional<UdpView> view = udp_view(packet.bytes());
  return view ? answer(packet, *view, flows_->hash(tunnel_side_of(*view)), now, to) : odd_packet(packet, now, to);
}

void Forwarder::from_tunnel(std::span<Packet> batch, Time now, std::vector<Released>& released) {
  std::array<std::optional<UdpView>, kBatchSize> views;
  std::array<FlowHash, kBatchSize> hashes;
  released.resize(batch.size());
  Released* next = released.data();
  while (!batch.empty()) {
    const size_t count = std::min(batch.size(), kBatchSize);
    for (size_t i = 0; i < count; ++i) {
      views[i] = udp_view(batch[i].bytes());
      hashes[i] = views[i] ? flows_->hash(tunnel_side_of(*views[i])) : 0;
      flows_->prefetch_tunnel_bucket(hashes[i]);
    }
    for (size_t i = 0; i < std::min(count, kAhead); ++i) flows_->prefetch_tunnel(hashes[i]);
    for (size_t i = 0; i < count; ++i, ++next) {
      if (i + kAhead < count) flows_->prefetch_tunnel(hashes[i + kAhead]);
      next->what =
          views[i] ? answer(batch[i], *views[i], hashes[i], now, next->to) : odd_packet(batch[i], now, next->to);
    }
    batch = batch.subspan(count);
  }
}

/// No UDP as it is: a fragment, or an error about what was sent, if it is for us at all.
Release Forwarder::odd_packet(Packet& packet, Time now, PublicSide& to) noexcept {
  if (const Release release = put_together(packet, now); release != Release::kNotOurs) return release;
  if (const std::optional<UdpView> view = udp_view(packet.bytes()))
    return answer(packet, *view, flows_->hash(tunnel_side_of(*view)), now, to);
  const std::optional<IcmpError> error = icmp_error(packet.bytes());
  return error ? hear_error(*error, now) : Release::kNotOurs;
}

Release Forwarder::answer(Packet& packet, const UdpView& view, FlowHash hash, Time now, PublicSide& to) noexcept {
  const FlowIndex flow = flows_->find(tunnel_side_of(view), hash);
  if (flow == kNoFlow) return Release::kNotOurs;
  RuleStats& stats = rules_[(*flows_)[flow].rule].stats;
  const Drop drop = unwrap_udp(packet, view);
  if (drop != Drop::kNone) {
    stats.drops.count(drop);
    return Release::kDropped;
  }
  service_spoke(flow, now);
  stats.is_unreachable = false;
  ++stats.packets_out;
  stats.bytes_out += packet.size();
  to = (*flows_)[flow].public_side;
  return Release::kToPublic;
}

// The life of a flow.

void Forwarder::client_spoke(FlowIndex flow, Time now) noexcept {
  if ((*flows_)[flow].state != FlowState::kAnswered) return flows_->refresh(flow, now);
  flows_->promote(flow, FlowState::kEstablished, now);
  count_flow(rules_[(*flows_)[flow].rule].stats, FlowState::kEstablished, +1);
}

void Forwarder::service_spoke(FlowIndex flow, Time now) noexcept {
  if ((*flows_)[flow].state != FlowState::kUnanswered) return flows_->refresh(flow, now);
  flows_->promote(flow, FlowState::kAnswered, now);
  count_flow(rules_[(*flows_)[flow].rule].stats, FlowState::kUnanswered, -1);
  earliest_ = std::min(earliest_, deadline_of(flow));  // an answered flow's timeout may be the shorter one
}

Time Forwarder::next_deadline() const noexcept {
  return reassembler_ ? std::min(earliest_, reassembler_->next_deadline()) : earliest_;
}

void Forwarder::expire(Time now) noexcept {
  if (reassembler_) reassembler_->expire(now, drops_);
  unsigned left = kMostExpiredPerCall;
  earliest_ = kNever;
  for (RuleId id = 0; id < rules_.size(); ++id) {
    for (const FlowState state : kFlowStates) {
      while (flows_->longest_idle(id, state) != kNoFlow) {
        const FlowIndex flow = flows_->longest_idle(id, state);
        const Time deadline = deadline_of(flow);
        if (deadline > now || left == 0) {
          earliest_ = std::min(earliest_, deadline);
          break;
        }
        --left;
        close(flow);
      }
    }
  }
  find_room();
}

Time Forwarder::deadline_of(FlowIndex flow) const noexcept {
  const Flow& of = (*flows_)[flow];
  const Rule& rule = rules_[of.rule].rule;
  return after(of.last_seen, of.state == FlowState::kUnanswered ? rule.unanswered_timeout : rule.idle_timeout);
}

void Forwarder::close(FlowIndex flow) noexcept {
  const Flow& ended = (*flows_)[flow];
  RuleStats& stats = rules_[ended.rule].stats;
  --stats.flows;
  count_flow(stats, ended.state, -1);
  const ListenerState& listener = listeners_[ended.public_side.listener];
  if (!listener.keeps_source()) ports_[listener.ports].give_back(ended.tunnel_side.ours.port);
  sources_->remove(ended.source);
  flows_->close(flow);
}

// Only here: flows end in expire(), and what is pushed out makes no room.
void Forwarder::find_room() noexcept {
  std::erase_if(full_, [this](RuleId id) {
    RuleState& state = rules_[id];
    const bool has_ports = state.lacks_ports == kNoPorts || ports_[state.lacks_ports].has_plenty();
    if (!has_ports || state.stats.flows >= std::max(1u, state.rule.max_flows - state.rule.max_flows / 4)) return false;
    set_full(id, false);
    return true;
  });
}

void Forwarder::set_full(RuleId id, bool is_full) noexcept {
  RuleState& state = rules_[id];
  state.is_full = is_full;
  if (!is_full) state.lacks_ports = kNoPorts;
  if (std::ranges::find(fullness_changed_, id) == fullness_changed_.end()) fullness_changed_.push_back(id);
}

std::vector<Fullness> Forwarder::take_fullness() {
  std::vector<Fullness> changed;
  for (const RuleId id : fullness_changed_) {
    RuleState& state = rules_[id];
    if (state.is_full == state.was_told_full) continue;
    state.was_told_full = state.is_full;
    changed.push_back({id, state.is_full});
  }
  fullness_changed_.clear();
  return changed;
}

}  // namespace adit::forward
