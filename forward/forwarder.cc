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

struct Forwarder::ListenerState {
  RuleId rule;
  Endpoint service;
  std::optional<Ip> ours;  // the gateway's tunnel address of the service's IP version
  uint32_t ports;          // index into ports_; listeners with the same service share its ports
};

struct Forwarder::RuleState {
  Rule rule;
  RuleStats stats;
};

Forwarder::Forwarder(Settings settings) : mtu_(settings.mtu) {
  const PortRange range{settings.first_snat_port, settings.last_snat_port};
  std::map<Endpoint, uint32_t> services;
  uint32_t capacity = 0;
  for (Rule& rule : settings.rules) {
    for (const Listener& listener : rule.listeners) {
      const auto [service, is_new] = services.try_emplace(listener.to, static_cast<uint32_t>(ports_.size()));
      if (is_new) ports_.emplace_back(range, hash_endpoint(listener.to, settings.seed));
      const std::optional<Ip>& ours = listener.to.ip.is_v4() ? settings.our_v4 : settings.our_v6;
      listeners_.push_back({static_cast<RuleId>(rules_.size()), listener.to, ours, service->second});
    }
    capacity += rule.max_flows;
    rules_.push_back({.rule = std::move(rule), .stats = {}});
  }
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
  assert(from.listener < listeners_.size());
  RuleStats& stats = rules_[listeners_[from.listener].rule].stats;
  const size_t payload_size = packet.size();
  const Drop drop = forward(from, packet, now);
  if (drop != Drop::kNone) {
    stats.drops.count(drop);
    return drop;
  }
  ++stats.packets_in;
  stats.bytes_in += payload_size;
  return Drop::kNone;
}

Drop Forwarder::forward(const PublicSide& from, Packet& packet, Time now) noexcept {
  FlowIndex flow = flows_->find(from);
  if (flow == kNoFlow) {
    const Drop drop = may_open(from);
    if (drop != Drop::kNone) return drop;
  }
  // Before anything changes: a datagram that goes nowhere neither opens a flow nor keeps one alive.
  if (!fits_tunnel(packet.size(), listeners_[from.listener].service.ip.is_v4(), mtu_)) return Drop::kTooBig;
  if (flow == kNoFlow) flow = open(from, now);
  if (flow == kNoFlow) return Drop::kNoPort;
  flows_->refresh(flow, now);
  wrap_udp(packet, (*flows_)[flow].tunnel_side, next_identification_++);
  return Drop::kNone;
}

Drop Forwarder::may_open(const PublicSide& from) const noexcept {
  const ListenerState& listener = listeners_[from.listener];
  const RuleState& state = rules_[listener.rule];
  if (!lets_in(state.rule, from.client.ip)) return Drop::kNotAllowed;
  if (!listener.ours) return Drop::kNoAddress;
  if (state.stats.flows >= state.rule.max_flows) return Drop::kFlowTableFull;
  if (sources_->flows_of(listener.rule, from.client.ip) >= state.rule.max_flows_per_source)
    return Drop::kSourceFlowsFull;
  return Drop::kNone;
}

FlowIndex Forwarder::open(const PublicSide& from, Time now) noexcept {
  const ListenerState& listener = listeners_[from.listener];
  RuleStats& stats = rules_[listener.rule].stats;
  const std::optional<uint16_t> port = ports_[listener.ports].take();
  if (!port) return kNoFlow;
  ++stats.flows;
  ++stats.flows_opened;
  const TunnelSide inside{.ours = {*listener.ours, *port}, .remote = listener.service};
  return flows_->open(from, inside, listener.rule, sources_->add(listener.rule, from.client.ip), now);
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
  --rules_[ended.rule].stats.flows;
  ports_[listeners_[ended.public_side.listener].ports].give_back(ended.tunnel_side.ours.port);
  sources_->remove(ended.source);
  flows_->close(flow);
}

}  // namespace adit::forward
