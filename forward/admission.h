// Who may open one more flow: a rule's table and its limits, for all rules of one kind.
#pragma once

#include "forward/rule.h"
#include "forward/source_counts.h"
#include "forward/source_rates.h"
#include "net/drop.h"

namespace adit::forward {

class Admission {
 public:
  /// For at most `capacity` flows; `seed` as in FlowTable.
  Admission(uint32_t capacity, uint64_t seed) : counts_(capacity, seed), rates_(seed) {}

  /// Drop::kNone when the client may open a flow of the rule, which has `flows` now.  Counts towards the client's rate.
  [[nodiscard]] Drop ask(const Rule& rule, RuleId id, uint32_t flows, const Ip& client, Time now) noexcept;
  /// One flow more; what it returns gives the flow back when it ends.
  SourceIndex add(RuleId id, const Ip& client) noexcept { return counts_.add(id, client); }
  void remove(SourceIndex source) noexcept { counts_.remove(source); }

 private:
  SourceCounts counts_;
  SourceRates rates_;
};

}  // namespace adit::forward
