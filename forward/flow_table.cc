#include "forward/flow_table.h"

#include <algorithm>
#include <cassert>

namespace adit::forward {

FlowTable::FlowTable(size_t rules, uint32_t capacity, uint64_t seed)
    : seed_(seed),
      flows_(capacity),
      by_public_(capacity * kBucketsPerFlow),
      by_tunnel_(capacity * kBucketsPerFlow),
      orders_(rules * kFlowStates.size()) {
  assert(rules <= kMostRules);
}

FlowHash FlowTable::hash(const PublicSide& side) const noexcept {
  const Endpoint local{side.local, static_cast<uint16_t>(side.listener)};
  return hash_endpoint(local, hash_endpoint(side.client, seed_));
}

FlowHash FlowTable::hash(const TunnelSide& side) const noexcept {
  return hash_endpoint(side.remote, hash_endpoint(side.ours, seed_));
}

FlowIndex FlowTable::find(const PublicSide& side, FlowHash hash) const noexcept {
  return by_public_.find(flows_, hash, [&side](const Flow& flow) { return flow.public_side == side; });
}

FlowIndex FlowTable::find(const TunnelSide& side, FlowHash hash) const noexcept {
  return by_tunnel_.find(flows_, hash, [&side](const Flow& flow) { return flow.tunnel_side == side; });
}

FlowIndex FlowTable::open(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule, SourceIndex source,
                          Time now) noexcept {
  const FlowIndex flow = enter(public_side, tunnel_side, rule, source, FlowState::kUnanswered, now);
  append(flow);
  return flow;
}

FlowIndex FlowTable::restore(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule,
                             SourceIndex source, FlowState state, Time last_seen) noexcept {
  const FlowIndex flow = enter(public_side, tunnel_side, rule, source, state, last_seen);
  prepend(flow);
  return flow;
}

/// All but its place in the order.
FlowIndex FlowTable::enter(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule,
                           SourceIndex source, FlowState state, Time last_seen) noexcept {
  const FlowIndex flow = flows_.put({.public_side = public_side,
                                     .next_by_public = kNoFlow,
                                     .rule = rule & kMostRules,
                                     .state = state,
                                     .ordered_at = 0,
                                     .our_port = tunnel_side.ours.port,
                                     .last_seen = last_seen,
                                     .tunnel_side = tunnel_side,
                                     .next_by_tunnel = kNoFlow,
                                     .less_recent = kNoFlow,
                                     .more_recent = kNoFlow,
                                     .source = source});
  by_public_.insert(flows_, hash(public_side), flow);
  by_tunnel_.insert(flows_, hash(tunnel_side), flow);
  return flow;
}

void FlowTable::refresh(FlowIndex flow, Time now) noexcept {
  Flow& used = flows_[flow];
  // A batch of packets has one `now`: only the first of a train has to move, the rest stand well already.
  if (now <= used.last_seen) return;
  const seconds grain = order_of(used).grain;
  const seconds stands_for(static_cast<uint16_t>(low_seconds(now) - used.ordered_at));
  const bool stands_well = now - used.last_seen < grain && stands_for < grain;
  used.last_seen = now;
  if (stands_well) return;
  unlink(flow);
  append(flow);
}

void FlowTable::set_grain(RuleId rule, FlowState state, seconds grain) noexcept {
  orders_[rule * kFlowStates.size() + static_cast<size_t>(state)].grain = grain;
}

uint16_t FlowTable::low_seconds(Time time) noexcept {
  return static_cast<uint16_t>(std::chrono::floor<seconds>(time.time_since_epoch()).count());
}

void FlowTable::promote(FlowIndex flow, FlowState state, Time now) noexcept {
  unlink(flow);
  flows_[flow].state = state;
  flows_[flow].last_seen = std::max(now, flows_[flow].last_seen);
  append(flow);
}

void FlowTable::close(FlowIndex flow) noexcept {
  unlink(flow);
  by_public_.erase(flows_, hash(flows_[flow].public_side), flow);
  by_tunnel_.erase(flows_, hash(flows_[flow].tunnel_side), flow);
  flows_.erase(flow);
}

void FlowTable::append(FlowIndex flow) noexcept {
  Order& order = order_of(flows_[flow]);
  flows_[flow].less_recent = order.most_recent;
  flows_[flow].more_recent = kNoFlow;
  flows_[flow].ordered_at = low_seconds(flows_[flow].last_seen);
  (order.most_recent == kNoFlow ? order.least_recent : flows_[order.most_recent].more_recent) = flow;
  order.most_recent = flow;
}

void FlowTable::prepend(FlowIndex flow) noexcept {
  Order& order = order_of(flows_[flow]);
  flows_[flow].less_recent = kNoFlow;
  flows_[flow].ordered_at = low_seconds(flows_[flow].last_seen);
  flows_[flow].more_recent = order.least_recent;
  (order.least_recent == kNoFlow ? order.most_recent : flows_[order.least_recent].less_recent) = flow;
  order.least_recent = flow;
}

void FlowTable::unlink(FlowIndex flow) noexcept {
  const FlowIndex less = flows_[flow].less_recent;
  const FlowIndex more = flows_[flow].more_recent;
  Order& order = order_of(flows_[flow]);
  (less == kNoFlow ? order.least_recent : flows_[less].more_recent) = more;
  (more == kNoFlow ? order.most_recent : flows_[more].less_recent) = less;
}

}  // namespace adit::forward
