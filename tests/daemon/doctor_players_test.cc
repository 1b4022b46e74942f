// `adit doctor` of forwards without room for players.
#include <gtest/gtest.h>

#include "tests/daemon/doctor_facts.h"

namespace adit::doctor {
namespace {

std::vector<Row> players_rows() {
  return {
      {"a full forward", [](Facts& f) { f.after->forwards[0].flows = 64; }, {Code::kFlowTableFull}, "max_flows = 128"},
      {"a forward that refuses players",
       [](Facts& f) { f.after->forwards[0].drops["flow_table_full"] = 5; },
       {Code::kFlowTableFull},
       "5 packets were dropped"},
      {"a forward that once refused players",
       [](Facts& f) {
         f.before->forwards[0].drops["flow_table_full"] = f.after->forwards[0].drops["flow_table_full"] = 5;
       },
       {},
       "all is well"},
      {"a source with all it may have",
       [](Facts& f) { f.after->forwards[0].drops["source_flows_full"] = 5; },
       {Code::kSourceFlowsFull},
       "max_flows_per_source"},
  };
}

TEST(DoctorPlayers, NamesEachFaultAndNothingElse) { expect_diagnoses(players_rows()); }

}  // namespace
}  // namespace adit::doctor
