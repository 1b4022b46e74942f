// Who may open a flow, and whose flow gives way to it.

#include <algorithm>

#include "forward/forwarder.h"
#include "forward/forwarder_state.h"

namespace adit::forward {
namespace {

/// Towards one service of several.  Only where a rule has more services than one and these share ports with other rules
/// is the first that is looked at not the right one.
constexpr unsigned kMostLookedAt = 64;

}  // namespace

/// Whatever else there is.
Drop Forwarder::may_use(const PublicSide& from) const noexcept {
  const ListenerState& listener = listeners_[from.listener];
  if (!rules_[listener.rule].rule.lets_in(from.client.ip)) return Drop::kNotAllowed;
  const bool has_address =
      listener.keeps_source() ? from.client.ip.is_v4() == listener.service.ip.is_v4() : listener.ours.has_value();
  return has_address ? Drop::kNone : Drop::kNoAddress;
}

/// Its client may_use() the listener.  Nothing changes unless the flow is opened: who is refused pushes nobody out.
Drop Forwarder::open(const PublicSide& from, Time now, FlowIndex& flow) noexcept {
  const ListenerState& listener = listeners_[from.listener];
  const RuleState& state = rules_[listener.rule];
  if (sources_->flows_of(listener.rule, from.client.ip) >= state.rule.max_flows_per_source)
    return Drop::kSourceFlowsFull;
  if (listener.keeps_source() && !may_keep(listener, from.client)) return Drop::kNoPort;

  const bool has_place = state.stats.flows < state.rule.max_flows;
  const bool has_port = listener.keeps_source() || ports_[listener.ports].has_free();
  const FlowIndex evicted = has_place && has_port ? kNoFlow : least_worth(listener, !has_port);
  if (!(has_place && has_port)) note_full(listener, !has_port);
  if (!(has_place && has_port) && evicted == kNoFlow) return has_place ? Drop::kNoPort : Drop::kFlowTableFull;
  const Duration cost = state.cost_of_new_flow;
  if (cost > Duration{} && !rates_->allow(listener.rule, from.client.ip, cost, now)) return Drop::kSourceRate;

  if (evicted != kNoFlow) evict(evicted);
  flow = enter(from, now);
  return Drop::kNone;
}

/// Not where another flow has this tunnel side: the same client comes in by two listeners.  And not the gateway's own
/// address, whose tunnel sides are the SNAT's.
bool Forwarder::may_keep(const ListenerState& listener, const Endpoint& client) const noexcept {
  return listener.ours != client.ip && flows_->find(listener.tunnel_side(client, client.port)) == kNoFlow;
}

/// The flow that gives way to a new one of the listener: the rule's newest that the service has not answered; where it
/// has answered all, the newest whose client has not sent since.  Established flows stay: a flood of spoofed sources
/// never gets that far, since nobody can use what he is not sent.  kNoFlow when there is no other.
///
/// The newest, because in a flood that is the flood itself: once it has filled the table its datagrams push each other
/// out, and what was there before, be it a client that waits for a slow service or one that never gets answers, stays.
/// If the oldest gave way, each second of the flood would take as many of those as it has datagrams.  The price is the
/// newcomer's: while the flood lasts its flow is pushed out unless the answer is faster than the next datagram.
FlowIndex Forwarder::least_worth(const ListenerState& listener, bool for_its_port) const noexcept {
  for (const FlowState state : {FlowState::kUnanswered, FlowState::kAnswered}) {
    FlowIndex flow = flows_->last_used(listener.rule, state);
    for (unsigned looked_at = 0; flow != kNoFlow && looked_at < kMostLookedAt; ++looked_at) {
      const Flow& candidate = (*flows_)[flow];
      if (!for_its_port || listeners_[candidate.public_side.listener].ports == listener.ports) return flow;
      flow = candidate.less_recent;
    }
  }
  return kNoFlow;
}

void Forwarder::evict(FlowIndex flow) noexcept {
  ++rules_[(*flows_)[flow].rule].stats.flows_evicted;
  close(flow);
}

FlowIndex Forwarder::enter(const PublicSide& from, Time now) noexcept {
  const ListenerState& listener = listeners_[from.listener];
  RuleStats& stats = rules_[listener.rule].stats;
  const uint16_t our_port = listener.keeps_source() ? from.client.port : *ports_[listener.ports].take();
  const TunnelSide inside = listener.tunnel_side(from.client, our_port);
  ++stats.flows;
  ++stats.flows_opened;
  count_flow(stats, FlowState::kUnanswered, +1);
  const FlowIndex flow = flows_->open(from, inside, listener.rule, sources_->add(listener.rule, from.client.ip), now);
  earliest_ = std::min(earliest_, deadline_of(flow));
  return flow;
}

void Forwarder::note_full(const ListenerState& listener, bool lacks_port) noexcept {
  RuleState& state = rules_[listener.rule];
  if (lacks_port) state.lacks_ports = listener.ports;
  if (state.is_full) return;
  full_.push_back(listener.rule);
  set_full(listener.rule, true);
}

}  // namespace adit::forward
