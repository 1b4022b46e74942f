#include "forward/forwarder.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <utility>

#include "forward/flow_table.h"
#include "forward/rewrite.h"
#include "forward/snat_ports.h"
#include "forward/source_counts.h"

namespace adit::forward {
namespace {

/// Most flows one expire() frees: a tenth of a millisecond of work with cold caches, so that packets hardly wait.
constexpr unsigned kMostExpiredPerCall = 256;

bool lets_in(const Rule& rule, const Ip& client) noexcept {
  if (!rule.from) return true;
  const bool* allowed = rule.from->find(client);
  return allowed != nullptr && *allowed;
}

}  // namespace

struct Forwarder::RuleState {
  Rule rule;
  std::optional<Ip> ours;  // the gateway's tunnel address of the service's IP version
  uint32_t service;        // index into ports_; rules to the same service share its ports
  RuleStats stats;
};

Forwarder::Forwarder(Settings settings) : mtu_(settings.mtu) {
  const PortRange range{settings.first_snat_port, settings.last_snat_port};
  std::map<Endpoint, uint32_t> services;
  std::vector<uint64_t> most_flows;  // by service, as its rules would have it
  for (Rule& rule : settings.rules) {
    const auto [service, is_new] = services.try_emplace(rule.to, static_cast<uint32_t>(ports_.size()));
    if (is_new) {
      ports_.emplace_back(range, hash_endpoint(rule.to, settings.seed));
      most_flows.push_back(0);
    }
    most_flows[service->second] += rule.max_flows;
    rule_of_.insert(rule_of_.end(), rule.listeners, static_cast<RuleId>(rules_.size()));
    const std::optional<Ip>& ours = rule.to.ip.is_v4() ? settings.our_v4 : settings.our_v6;
    rules_.push_back({.rule = std::move(rule), .ours = ours, .service = service->second, .stats = {}});
  }
  uint32_t capacity = 0;
  for (const uint64_t flows : most_flows) capacity += static_cast<uint32_t>(std::min<uint64_t>(flows, range.size()));
  flows_ = std::make_unique<FlowTable>(rules_.size(), capacity, settings.seed);
  sources_ = std::make_unique<SourceCounts>(capacity, settings.seed);
}

Forwarder::~Forwarder() = default;
Forwarder::Forwarder(Forwarder&&) noexcept = default;
Forwarder& Forwarder::operator=(Forwarder&&) noexcept = default;

size_t Forwarder::rule_count() const noexcept { return rules_.size(); }
const Rule& Forwarder::rule(RuleId id) const noexcept { return rules_[id].rule; }
const RuleStats& Forwarder::stats(RuleId id) const noexcept { return rules_[id].stats; }

Drop Forwarder::from_public(const PublicSide& from, Packet& packet, Time now) noexcept {
  assert(from.listener < rule_of_.size());
  const RuleId id = rule_of_[from.listener];
  RuleStats& stats = rules_[id].stats;
  const size_t payload_size = packet.size();
  const Drop drop = forward(id, from, packet, now);
  if (drop != Drop::kNone) {
    stats.drops.count(drop);
    return drop;
  }
  ++stats.packets_in;
  stats.bytes_in += payload_size;
  return Drop::kNone;
}

Drop Forwarder::forward(RuleId id, const PublicSide& from, Packet& packet, Time now) noexcept {
  FlowIndex flow = flows_->find(from);
  if (flow == kNoFlow) {
    const Drop drop = may_open(id, from.client.ip);
    if (drop != Drop::kNone) return drop;
  }
  // Before anything changes: a datagram that goes nowhere neither opens a flow nor keeps one alive.
  if (!fits_tunnel(packet.size(), rules_[id].rule.to.ip.is_v4(), mtu_)) return Drop::kTooBig;
  if (flow == kNoFlow) flow = open(id, from, now);
  if (flow == kNoFlow) return Drop::kNoPort;
  flows_->refresh(flow, now);
  wrap_udp(packet, (*flows_)[flow].tunnel_side, next_identification_++);
  return Drop::kNone;
}

Drop Forwarder::may_open(RuleId id, const Ip& client) const noexcept {
  const RuleState& state = rules_[id];
  if (!lets_in(state.rule, client)) return Drop::kNotAllowed;
  if (!state.ours) return Drop::kNoAddress;
  if (state.stats.flows >= state.rule.max_flows) return Drop::kFlowTableFull;
  if (sources_->flows_of(id, client) >= state.rule.max_flows_per_source) return Drop::kSourceFlowsFull;
  return Drop::kNone;
}

FlowIndex Forwarder::open(RuleId id, const PublicSide& from, Time now) noexcept {
  RuleState& state = rules_[id];
  const std::optional<uint16_t> port = ports_[state.service].take();
  if (!port) return kNoFlow;
  ++state.stats.flows;
  ++state.stats.flows_opened;
  const TunnelSide inside{.ours = {*state.ours, *port}, .remote = state.rule.to};
  return flows_->open(from, inside, id, sources_->add(id, from.client.ip), now);
}

Release Forwarder::from_tunnel(Packet& packet, Time now, PublicSide& to) noexcept {
  const std::optional<UdpView> view = udp_view(packet.bytes());
  if (!view) return Release::kNotOurs;
  const FlowIndex flow = flows_->find(TunnelSide{.ours = view->destination, .remote = view->source});
  if (flow == kNoFlow) return Release::kNotOurs;
  RuleStats& stats = rules_[(*flows_)[flow].rule].stats;
  const Drop drop = unwrap_udp(packet, *view);
  if (drop != Drop::kNone) {
    stats.drops.count(drop);
    return Release::kDropped;
  }
  flows_->refresh(flow, now);
  ++stats.packets_out;
  stats.bytes_out += packet.size();
  to = (*flows_)[flow].public_side;
  return Release::kToPublic;
}

void Forwarder::expire(Time now) noexcept {
  unsigned left = kMostExpiredPerCall;
  for (RuleId id = 0; id < rules_.size(); ++id) {
    while (flows_->longest_idle(id) != kNoFlow && deadline_of(id) <= now) {
      if (left-- == 0) return;
      close(flows_->longest_idle(id));
    }
  }
}

Time Forwarder::next_deadline() const noexcept {
  Time earliest = kNever;
  for (RuleId id = 0; id < rules_.size(); ++id) earliest = std::min(earliest, deadline_of(id));
  return earliest;
}

Time Forwarder::deadline_of(RuleId id) const noexcept {
  const FlowIndex flow = flows_->longest_idle(id);
  if (flow == kNoFlow) return kNever;
  const Time last_seen = (*flows_)[flow].last_seen;
  const Duration timeout = rules_[id].rule.idle_timeout;
  return timeout < kNever - last_seen ? last_seen + timeout : kNever;
}

void Forwarder::close(FlowIndex flow) noexcept {
  const Flow& ended = (*flows_)[flow];
  RuleState& state = rules_[ended.rule];
  --state.stats.flows;
  ports_[state.service].give_back(ended.tunnel_side.ours.port);
  sources_->remove(ended.source);
  flows_->close(flow);
}

}  // namespace adit::forward
