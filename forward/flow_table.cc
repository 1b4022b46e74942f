#include "forward/flow_table.h"

namespace adit::forward {

FlowTable::FlowTable(size_t rules, uint32_t capacity, uint64_t seed)
    : seed_(seed), flows_(capacity), by_public_(capacity), by_tunnel_(capacity), orders_(rules) {}

FlowIndex FlowTable::find(const PublicSide& side) const noexcept {
  return by_public_.find(flows_, hash(side), [&side](const Flow& flow) { return flow.public_side == side; });
}

FlowIndex FlowTable::find(const TunnelSide& side) const noexcept {
  return by_tunnel_.find(flows_, hash(side), [&side](const Flow& flow) { return flow.tunnel_side == side; });
}

FlowIndex FlowTable::open(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule, SourceIndex source,
                          Time now) noexcept {
  const FlowIndex flow = flows_.put({.public_side = public_side,
                                     .next_by_public = kNoFlow,
                                     .next_by_tunnel = kNoFlow,
                                     .last_seen = now,
                                     .tunnel_side = tunnel_side,
                                     .less_recent = kNoFlow,
                                     .more_recent = kNoFlow,
                                     .rule = rule,
                                     .source = source});
  by_public_.insert(flows_, hash(public_side), flow);
  by_tunnel_.insert(flows_, hash(tunnel_side), flow);
  append(flow);
  return flow;
}

void FlowTable::refresh(FlowIndex flow, Time now) noexcept {
  // A batch of packets has one `now`: only the first of a train has to move, the rest stand well already.
  if (now <= flows_[flow].last_seen) return;
  flows_[flow].last_seen = now;
  if (flows_[flow].more_recent == kNoFlow) return;
  unlink(flow);
  append(flow);
}

void FlowTable::close(FlowIndex flow) noexcept {
  unlink(flow);
  by_public_.erase(flows_, hash(flows_[flow].public_side), flow);
  by_tunnel_.erase(flows_, hash(flows_[flow].tunnel_side), flow);
  flows_.erase(flow);
}

uint64_t FlowTable::hash(const PublicSide& side) const noexcept {
  const Endpoint local{side.local, static_cast<uint16_t>(side.listener)};
  return hash_endpoint(local, hash_endpoint(side.client, seed_));
}

uint64_t FlowTable::hash(const TunnelSide& side) const noexcept {
  return hash_endpoint(side.remote, hash_endpoint(side.ours, seed_));
}

void FlowTable::append(FlowIndex flow) noexcept {
  Order& order = orders_[flows_[flow].rule];
  flows_[flow].less_recent = order.most_recent;
  flows_[flow].more_recent = kNoFlow;
  (order.most_recent == kNoFlow ? order.least_recent : flows_[order.most_recent].more_recent) = flow;
  order.most_recent = flow;
}

void FlowTable::unlink(FlowIndex flow) noexcept {
  const FlowIndex less = flows_[flow].less_recent;
  const FlowIndex more = flows_[flow].more_recent;
  Order& order = orders_[flows_[flow].rule];
  (less == kNoFlow ? order.least_recent : flows_[less].more_recent) = more;
  (more == kNoFlow ? order.most_recent : flows_[more].less_recent) = less;
}

}  // namespace adit::forward
