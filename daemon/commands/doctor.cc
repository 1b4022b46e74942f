// adit doctor: what is wrong between the players and the service at home, and what to do about it.

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/gather.h"
#include "daemon/doctor/report.h"

namespace adit::daemon {
namespace {

int exit_status(const adit::doctor::Diagnosis& diagnosis, bool has_problems) {
  if (diagnosis.findings.empty()) return kExitDone;
  const bool is_of_config = has_problems && !diagnosis.has(adit::doctor::Code::kNoPermission);
  return is_of_config ? kExitConfig : kExitFailed;
}

}  // namespace

int doctor(const DoctorRequest& request) {
  const adit::doctor::Facts facts =
      adit::doctor::gather({.config = request.config,
                            .is_config_meant = request.is_config_meant,
                            .interface = request.interface,
                            .time = std::chrono::milliseconds(static_cast<int64_t>(request.seconds * 1000))});
  const adit::doctor::Diagnosis diagnosis = adit::doctor::diagnose(facts);
  if (request.json)
    std::cout << adit::doctor::report_json(facts.interface, diagnosis).dump(2) << "\n";
  else
    std::cout << adit::doctor::report_text(facts.interface, diagnosis);
  return exit_status(diagnosis, !facts.problems.empty());
}

}  // namespace adit::daemon
