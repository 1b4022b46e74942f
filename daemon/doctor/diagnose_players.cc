// Whether players find room.

#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/gateway_state.h"
#include "daemon/doctor/words.h"

namespace adit::doctor {
namespace {

Finding full_table(const Facts& facts, const ForwardState& forward, uint64_t refused) {
  Finding finding = {
      Code::kFlowTableFull,
      "the forward " + forward.name + " is full: max_flows",
      {std::to_string(forward.flows) + " flows of max_flows = " + std::to_string(forward.max_flows)},
      {"max_flows = " + std::to_string(2 * forward.max_flows) + " in [[forward]] " + forward.name + " of " +
           file_of(facts),
       then_reload(facts), "if so many players cannot be: a flood; max_new_flows_per_source and from hold it back"}};
  if (refused > 0) {
    finding.saw.push_back("while this looked, " + std::to_string(refused) + " packets were dropped (flow_table_full)");
  }
  return finding;
}

Finding full_source(const Facts& facts, const ForwardState& forward, uint64_t refused) {
  return {Code::kSourceFlowsFull,
          "one source has all the flows it may have of " + forward.name + ": max_flows_per_source",
          {"while this looked, " + std::to_string(refused) + " packets were dropped (source_flows_full)"},
          {"if many players share an address: a larger max_flows_per_source in [[forward]] " + forward.name + " of " +
               file_of(facts),
           then_reload(facts), "if not: it is a flood, and the limit does what it is for"}};
}

}  // namespace

void diagnose_players(const Facts& facts, Diagnosis& diagnosis) {
  for (size_t i = 0; i < facts.after->forwards.size(); ++i) {
    const ForwardState& forward = facts.after->forwards[i];
    const uint64_t refused = growth_of(facts, i, "flow_table_full");
    const uint64_t of_source = growth_of(facts, i, "source_flows_full");
    const bool is_full = refused > 0 || (forward.max_flows > 0 && forward.flows >= forward.max_flows);
    if (is_full) diagnosis.findings.push_back(full_table(facts, forward, refused));
    if (!is_full && of_source > 0) diagnosis.findings.push_back(full_source(facts, forward, of_source));
    if (is_full || of_source > 0) continue;
    diagnosis.well.push_back(
        "forward " + forward.name + ": " +
        (forward.flows == 0 ? std::string("no players now") : std::to_string(forward.flows) + " flows of players") +
        ", room for " + std::to_string(forward.max_flows));
  }
}

}  // namespace adit::doctor
