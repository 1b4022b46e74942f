#include "forward/admission.h"

namespace adit::forward {

Drop Admission::ask(const Rule& rule, RuleId id, uint32_t flows, const Ip& client, Time now) noexcept {
  if (!rule.lets_in(client)) return Drop::kNotAllowed;
  if (flows >= rule.max_flows) return Drop::kFlowTableFull;
  if (counts_.flows_of(id, client) >= rule.max_flows_per_source) return Drop::kSourceFlowsFull;
  if (rule.max_new_flows_per_source == 0) return Drop::kNone;
  const Duration cost = Duration(seconds(1)) / rule.max_new_flows_per_source;
  return rates_.allow(id, client, cost, now) ? Drop::kNone : Drop::kSourceRate;
}

}  // namespace adit::forward
