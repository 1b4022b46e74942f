// All flows of all rules: entered once, found under both sides, and kept in the order in which they fall idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forward/flow.h"

namespace adit::forward {

/// Everything here takes the same number of steps whether there is one flow or a hundred thousand.  Memory that was
/// never needed is never touched (slab.h).
class FlowTable {
 public:
  /// Its slot, its place in the list of free slots, and at most 8 bytes of buckets in each of two indices.  With its
  /// source and its SNAT port a flow costs less than 200 bytes in all (forwarder_state.h).
  static constexpr size_t kBytesPerFlow = sizeof(Flow) + sizeof(FlowIndex) + size_t{2} * 8;

  /// For `rules` rules with together at most `capacity` flows.  `seed` is what clients must not know, lest they
  /// choose addresses that all fall into one bucket.
  FlowTable(size_t rules, uint32_t capacity, uint64_t seed);

  /// kNoFlow when there is none.
  [[nodiscard]] FlowIndex find(const PublicSide& side) const noexcept;
  [[nodiscard]] FlowIndex find(const TunnelSide& side) const noexcept;
  [[nodiscard]] const Flow& operator[](FlowIndex flow) const noexcept { return flows_[flow]; }
  [[nodiscard]] size_t size() const noexcept { return flows_.size(); }

  /// Fetches what find() and refresh() will need of each flow into the processor's caches, for all together.  With few
  /// flows these are there already, and it does nothing.
  [[nodiscard]] bool needs_look_ahead() const noexcept { return flows_.size() > kFewFlows; }
  void look_ahead(std::span<const PublicSide> sides) const noexcept { fetch(sides); }
  void look_ahead(std::span<const TunnelSide> sides) const noexcept { fetch(sides); }

  /// Enters an unanswered flow.  Neither side is in the table, and there is room.
  FlowIndex open(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule, SourceIndex source,
                 Time now) noexcept;
  /// Enters one that was open elsewhere, and `last_seen` no later than all others of its rule and state here.
  FlowIndex restore(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule, SourceIndex source,
                    FlowState state, Time last_seen) noexcept;
  /// How much later than another a flow may have been used and yet stand before it in the order: at most 5 hours, whole
  /// seconds.  Moving a flow touches its neighbours, which are in no cache among many.
  void set_grain(RuleId rule, FlowState state, seconds grain) noexcept;
  /// The flow was used at `now`, which is not before any other time this table has seen.
  void refresh(FlowIndex flow, Time now) noexcept;
  /// ... and is in another state for it.
  void promote(FlowIndex flow, FlowState state, Time now) noexcept;
  void close(FlowIndex flow) noexcept;

  /// The ends of the order of the rule's flows in this state by last use; kNoFlow when the rule has none.
  [[nodiscard]] FlowIndex longest_idle(RuleId rule, FlowState state) const noexcept {
    return order_of(rule, state).least_recent;
  }
  [[nodiscard]] FlowIndex last_used(RuleId rule, FlowState state) const noexcept {
    return order_of(rule, state).most_recent;
  }

 private:
  /// Ends of the list of one rule's flows in one state.  They have the same timeout, so the order of last use is the
  /// order of expiry, and using a flow moves it to the far end, once in a grain.
  struct Order {
    seconds grain{0};
    FlowIndex least_recent = kNoFlow;
    FlowIndex most_recent = kNoFlow;
  };

  [[nodiscard]] uint64_t hash(const PublicSide& side) const noexcept;
  [[nodiscard]] uint64_t hash(const TunnelSide& side) const noexcept;
  [[nodiscard]] const auto& index_of(const PublicSide& /*kind*/) const noexcept { return by_public_; }
  [[nodiscard]] const auto& index_of(const TunnelSide& /*kind*/) const noexcept { return by_tunnel_; }
  template <typename Side>
  void fetch(std::span<const Side> sides) const noexcept;

  [[nodiscard]] const Order& order_of(RuleId rule, FlowState state) const noexcept {
    return orders_[rule * kFlowStates.size() + static_cast<size_t>(state)];
  }
  [[nodiscard]] Order& order_of(const Flow& flow) noexcept {
    return orders_[flow.rule * kFlowStates.size() + static_cast<size_t>(flow.state)];
  }
  FlowIndex enter(const Flow& flow) noexcept;
  [[nodiscard]] static uint16_t low_seconds(Time time) noexcept;
  void append(FlowIndex flow) noexcept;
  void prepend(FlowIndex flow) noexcept;
  void unlink(FlowIndex flow) noexcept;

  /// More are larger than a second-level cache.
  static constexpr size_t kFewFlows = 4096;

  uint64_t seed_;
  Slab<Flow> flows_;
  HashIndex<Flow, &Flow::next_by_public> by_public_;
  HashIndex<Flow, &Flow::next_by_tunnel> by_tunnel_;
  std::vector<Order> orders_;  // by RuleId and state
};

}  // namespace adit::forward
