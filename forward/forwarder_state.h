// What a Forwarder knows of its rules and listeners; for its own files.
#pragma once

#include <algorithm>

#include "forward/flow_table.h"
#include "forward/forwarder.h"
#include "forward/snat_ports.h"
#include "forward/source_counts.h"
#include "forward/source_rates.h"

namespace adit::forward {

constexpr size_t kBytesPerPort = 3;  // 2 and a bit (snat_ports.h)
static_assert(FlowTable::kBytesPerFlow + SourceCounts::kBytesPerFlow + kBytesPerPort < 200, "what a flow costs in all");

inline constexpr uint32_t kNoPorts = ~uint32_t{0};

struct Forwarder::ListenerState {
  RuleId rule;
  Endpoint listen;
  Endpoint service;
  std::optional<Ip> ours;     // the gateway's tunnel address of the service's IP version
  uint32_t ports = kNoPorts;  // index into ports_; listeners with the same service share its ports; kKeep needs none

  uint16_t path_mtu = 0;  // what fits the way to the service, as its side has said
  Time path_mtu_until{};  // from then on it may have grown

  [[nodiscard]] bool keeps_source() const noexcept { return ports == kNoPorts; }
  /// Of a flow of this client with this port of ours, which is the client's own where its source is kept.  A tunnel has
  /// no interfaces to choose from, so a link-local client's scope ends here.
  [[nodiscard]] TunnelSide tunnel_side(const Endpoint& client, uint16_t our_port) const noexcept {
    return {.ours = {keeps_source() ? client.ip : *ours, our_port}, .remote = service};
  }
};

struct Forwarder::RuleState {
  Rule rule;
  Duration cost_of_new_flow{};  // of a source's allowance; 0: none
  RuleStats stats;
  bool is_full = false;
  bool was_told_full = false;
  uint32_t lacks_ports = kNoPorts;  // index into ports_, if it is full for want of one
};

/// Unlike the two named states, answered flows are not counted: they are the rest.
inline void count_flow(RuleStats& stats, FlowState state, int change) noexcept {
  const auto by = static_cast<uint32_t>(change);
  if (state == FlowState::kUnanswered) stats.flows_unanswered += by;
  if (state == FlowState::kEstablished) stats.flows_established += by;
}

/// `time` and a while after; kNever beyond the end of time.
inline Time after(Time time, Duration while_) noexcept {
  return while_ < kNever - std::max(time, Time{}) ? time + while_ : kNever;
}

}  // namespace adit::forward
