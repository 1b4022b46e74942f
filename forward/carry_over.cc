// Flows and counters go from one forwarder to the next: to one with other settings, or in another process.

#include <algorithm>
#include <map>
#include <string_view>

#include "forward/forwarder.h"
#include "forward/forwarder_state.h"

namespace adit::forward {
namespace {

/// Far from the ends of time, however long a rule lets its flows idle.
constexpr Duration kLongestIdle = Duration::max() / 4;

}  // namespace

void RuleStats::add_counters_of(const RuleStats& other) noexcept {
  flows_opened += other.flows_opened;
  flows_evicted += other.flows_evicted;
  packets_in += other.packets_in;
  bytes_in += other.bytes_in;
  packets_out += other.packets_out;
  bytes_out += other.bytes_out;
  unreachable += other.unreachable;
  drops += other.drops;
}

std::vector<SavedFlow> Forwarder::save(Time now) const {
  std::vector<SavedFlow> saved;
  saved.reserve(flows_->size());
  for (RuleId id = 0; id < rules_.size(); ++id) {
    for (const FlowState state : kFlowStates) {
      for (FlowIndex each = flows_->longest_idle(id, state); each != kNoFlow; each = (*flows_)[each].more_recent) {
        const Flow& flow = (*flows_)[each];
        saved.push_back({.listen = listeners_[flow.public_side.listener].listen,
                         .client = flow.public_side.client,
                         .local = flow.public_side.local,
                         .ours = flow.tunnel_side.ours,
                         .remote = flow.tunnel_side.remote,
                         .state = flow.state,
                         .idle = now - flow.last_seen});
      }
    }
  }
  return saved;
}

size_t Forwarder::restore(std::span<const SavedFlow> saved, Time now) {
  std::map<Endpoint, ListenerId> listeners;
  for (ListenerId id = 0; id < listeners_.size(); ++id) listeners.emplace(listeners_[id].listen, id);
  // Rules may have been joined, so their orders are made anew; from the end, where those are that limits spare.
  std::vector<const SavedFlow*> order;
  for (const SavedFlow& each : saved) order.push_back(&each);
  std::ranges::stable_sort(order, [](const SavedFlow* one, const SavedFlow* other) {
    return one->state != other->state ? one->state < other->state : one->idle > other->idle;
  });
  size_t taken = 0;
  for (auto each = order.rbegin(); each != order.rend(); ++each) {
    const auto listener = listeners.find((*each)->listen);
    if (listener != listeners.end() && restore(**each, listener->second, now)) ++taken;
  }
  return taken;
}

/// What was saved may be from a file, and so anything.
bool Forwarder::restore(const SavedFlow& saved, ListenerId id, Time now) {
  const ListenerState& listener = listeners_[id];
  const Rule& rule = rules_[listener.rule].rule;
  RuleStats& stats = rules_[listener.rule].stats;
  const PublicSide outside{id, saved.client, saved.local};
  const TunnelSide inside{saved.ours, saved.remote};
  const Duration timeout = saved.state == FlowState::kUnanswered ? rule.unanswered_timeout : rule.idle_timeout;
  if (may_use(outside) != Drop::kNone) return false;
  const uint16_t our_port = listener.keeps_source() ? saved.client.port : saved.ours.port;
  if (inside != listener.tunnel_side(saved.client, our_port)) return false;
  if (saved.state > FlowState::kEstablished) return false;
  if (saved.idle < Duration{} || saved.idle >= std::min(timeout, kLongestIdle)) return false;
  if (stats.flows >= rule.max_flows) return false;
  if (sources_->flows_of(listener.rule, saved.client.ip) >= rule.max_flows_per_source) return false;
  if (flows_->find(outside) != kNoFlow) return false;
  if (listener.keeps_source() ? !may_keep(listener, saved.client) : !ports_[listener.ports].take(our_port))
    return false;
  ++stats.flows;
  count_flow(stats, saved.state, +1);
  const SourceIndex source = sources_->add(listener.rule, saved.client.ip);
  const FlowIndex flow = flows_->restore(outside, inside, listener.rule, source, saved.state, now - saved.idle);
  earliest_ = std::min(earliest_, deadline_of(flow));
  return true;
}

void Forwarder::take_over(Forwarder& old, Time now) {
  adopt_stats(old);
  adopt_path_mtus(old);
  restore(old.save(now), now);
  if (reassembler_ && old.reassembler_) std::swap(reassembler_, old.reassembler_);
  drops_ = old.drops_;
}

void Forwarder::adopt_stats(const Forwarder& old) {
  std::map<std::string_view, const RuleStats*> counted;
  for (const RuleState& state : old.rules_) counted.emplace(state.rule.name, &state.stats);
  for (RuleState& state : rules_) {
    const auto found = counted.find(state.rule.name);
    if (found != counted.end()) state.stats.add_counters_of(*found->second);
  }
}

/// Else the next large datagram of each listener would be lost to learn it anew.
void Forwarder::adopt_path_mtus(const Forwarder& old) {
  std::map<Endpoint, const ListenerState*> known;
  for (const ListenerState& listener : old.listeners_) known.emplace(listener.listen, &listener);
  for (ListenerState& listener : listeners_) {
    const auto found = known.find(listener.listen);
    if (found == known.end() || found->second->service != listener.service) continue;
    listener.path_mtu = found->second->path_mtu;
    listener.path_mtu_until = found->second->path_mtu_until;
  }
}

}  // namespace adit::forward
