// How many flows each client address has with each rule.
#pragma once

#include <cstdint>

#include "forward/flow.h"

namespace adit::forward {

/// What a client counts as: its IPv4 address or its IPv6 /64, which is the least that one subscriber is given, so that
/// counting single IPv6 addresses would limit nobody.
inline Ip source_prefix(const Ip& client) noexcept { return client.is_v4() ? client : Prefix::of(client, 64).ip; }

class SourceCounts {
 public:
  /// For at most `capacity` flows; `seed` as in FlowTable.
  SourceCounts(uint32_t capacity, uint64_t seed);

  [[nodiscard]] uint32_t flows_of(RuleId rule, const Ip& client) const noexcept;
  /// One flow more; there is room.  What it returns gives the flow back when it ends.
  SourceIndex add(RuleId rule, const Ip& client) noexcept;
  void remove(SourceIndex source) noexcept;
  /// How many sources have flows.
  [[nodiscard]] size_t size() const noexcept { return sources_.size(); }

 private:
  struct Source {
    Ip prefix;
    RuleId rule;
    uint32_t flows;
    SourceIndex next;
  };

 public:
  /// Of a source with one flow; counted as in FlowTable.
  static constexpr size_t kBytesPerFlow =
      sizeof(Source) + sizeof(SourceIndex) + HashIndex<Source, nullptr>::kBytesPerBucket;

 private:
  [[nodiscard]] SourceIndex find(RuleId rule, const Ip& prefix) const noexcept;
  [[nodiscard]] uint64_t hash(RuleId rule, const Ip& prefix) const noexcept;

  uint64_t seed_;
  Slab<Source> sources_;
  HashIndex<Source, &Source::next> index_;
};

}  // namespace adit::forward
