// All flows of all rules: entered once, found under both sides, and kept in the order in which they fall idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "forward/flow.h"

namespace adit::forward {

/// Everything here takes the same time whether there is one flow or a hundred thousand.  A flow costs 128 bytes and
/// 8 to 16 bytes of buckets; memory that was never needed is never touched (slab.h).
class FlowTable {
 public:
  /// For `rules` rules with together at most `capacity` flows.  `seed` is what clients must not know, lest they
  /// choose addresses that all fall into one bucket.
  FlowTable(size_t rules, uint32_t capacity, uint64_t seed);

  /// kNoFlow when there is none.
  [[nodiscard]] FlowIndex find(const PublicSide& side) const noexcept;
  [[nodiscard]] FlowIndex find(const TunnelSide& side) const noexcept;
  [[nodiscard]] const Flow& operator[](FlowIndex flow) const noexcept { return flows_[flow]; }
  [[nodiscard]] size_t size() const noexcept { return flows_.size(); }

  /// Enters a flow.  Neither side is in the table, and there is room.
  FlowIndex open(const PublicSide& public_side, const TunnelSide& tunnel_side, RuleId rule, SourceIndex source,
                 Time now) noexcept;
  /// The flow was used at `now`, which is not before any other time this table has seen.
  void refresh(FlowIndex flow, Time now) noexcept;
  void close(FlowIndex flow) noexcept;

  /// The rule's flow that has been idle for longest; kNoFlow when the rule has none.
  [[nodiscard]] FlowIndex longest_idle(RuleId rule) const noexcept { return orders_[rule].least_recent; }

 private:
  /// Ends of the list of one rule's flows.  All flows of a rule have the same timeout, so the order of last use is
  /// the order of expiry, and using a flow moves it to the far end.
  struct Order {
    FlowIndex least_recent = kNoFlow;
    FlowIndex most_recent = kNoFlow;
  };

  [[nodiscard]] uint64_t hash(const PublicSide& side) const noexcept;
  [[nodiscard]] uint64_t hash(const TunnelSide& side) const noexcept;
  void append(FlowIndex flow) noexcept;
  void unlink(FlowIndex flow) noexcept;

  uint64_t seed_;
  Slab<Flow> flows_;
  HashIndex<Flow, &Flow::next_by_public> by_public_;
  HashIndex<Flow, &Flow::next_by_tunnel> by_tunnel_;
  std::vector<Order> orders_;  // by RuleId
};

}  // namespace adit::forward
