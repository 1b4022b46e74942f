// All flows of all rules: entered once, found under both sides, and kept in the order in which they fall idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "forward/flow.h"

namespace adit::forward {

using FlowHash = uint64_t;

/// Everything here takes the same number of steps whether there is one flow or a hundred thousand.  Memory that was
/// never needed is never touched (slab.h).
class FlowTable {
 public:
  /// A chain that goes on is a wait that no prefetch spares, so chains are kept short.
  static constexpr size_t kBucketsPerFlow = 3;
  /// Its slot, its place in the list of free slots, and its buckets in two indices.  With its source and its SNAT port
  /// a flow costs less than 200 bytes in all (forwarder_state.h).
  static constexpr size_t kBytesPerFlow =
      sizeof(Flow) + sizeof(FlowIndex) + 2 * kBucketsPerFlow * HashIndex<Flow, nullptr>::kBytesPerBucket;

  /// For `rules` rules (at most kMostRules) with together at most `capacity` flows.  `seed` is what clients must not
  /// know, lest they choose addresses that all fall into one bucket.
  FlowTable(size_t rules, uint32_t capacity, uint64_t seed);

  /// kNoFlow when there is none.
  [[nodiscard]] FlowIndex find(const PublicSide& side) const noexcept { return find(side, hash(side)); }
  [[nodiscard]] FlowIndex find(const TunnelSide& side) const noexcept { return find(side, hash(side)); }
  /// In steps, for a batch: among many flows no flow is in the processor's caches, and a packet need not wait for what
  /// is asked for while others are worked on.  First the hash,
  [[nodiscard]] FlowHash hash(const PublicSide& side) const noexcept;
  [[nodiscard]] FlowHash hash(const TunnelSide& side) const noexcept;
  /// ... as soon as it is known this (always inlined, because GCC takes a call that only prefetches for one without
  /// effect),
  [[gnu::always_inline]] void prefetch_public_bucket(FlowHash hash) const noexcept { by_public_.prefetch(hash); }
  [[gnu::always_inline]] void prefetch_tunnel_bucket(FlowHash hash) const noexcept { by_tunnel_.prefetch(hash); }
  /// ... some packets ahead this, which is for find(), refresh() and what a packet is rewritten with,
  [[gnu::always_inline]] void prefetch_public(FlowHash hash) const noexcept {
    __builtin_prefetch(&flows_[by_public_.first(hash)], 1);
  }
  [[gnu::always_inline]] void prefetch_tunnel(FlowHash hash) const noexcept {
    const Flow& flow = flows_[by_tunnel_.first(hash)];
    __builtin_prefetch(&flow.tunnel_side, 1);
    __builtin_prefetch(&flow, 1);
  }
  /// ... and then this.
  [[nodiscard]] FlowIndex find(const PublicSide& side, FlowHash hash) const noexcept;
  [[nodiscard]] FlowIndex find(const TunnelSide& side, FlowHash hash) const noexcept;
  [[nodiscard]] const Flow& operator[](FlowIndex flow) const noexcept { return flows_[flow]; }
  [[nodiscard]] size_t size() const noexcept { return flows_.size(); }

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

  [[nodiscard]] const Order& order_of(RuleId rule, FlowState state) const noexcept {
    return orders_[rule * kFlowStates.size() + static_cast<size_t>(state)];
  }
  [[nodiscard]] Order& order_of(const Flow& flow) noexcept {
    return orders_[flow.rule * kFlowStates.size() + static_cast<size_t>(flow.state)];
  }
  FlowIndex enter(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule, SourceIndex source,
                  FlowState state, Time last_seen) noexcept;
  [[nodiscard]] static uint16_t low_seconds(Time time) noexcept;
  void append(FlowIndex flow) noexcept;
  void prepend(FlowIndex flow) noexcept;
  void unlink(FlowIndex flow) noexcept;

  uint64_t seed_;
  Slab<Flow> flows_;
  HashIndex<Flow, &Flow::next_by_public> by_public_;
  HashIndex<Flow, &Flow::next_by_tunnel> by_tunnel_;
  std::vector<Order> orders_;  // by RuleId and state
};

}  // namespace adit::forward
