#include "daemon/doctor/report.h"

#include <nlohmann/json.hpp>

#include "config/problems.h"

namespace adit::doctor {
namespace {

std::string lines(const std::string& first, const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    if (text.empty()) continue;
    all += (all.empty() ? first : std::string(first.size(), ' ')) + text + "\n";
  }
  return all;
}

std::string finding_text(const Finding& finding) {
  return "\n" + std::string(code_name(finding.code)) + ": " + finding.what + "\n" + lines("  saw  ", finding.saw) +
         lines("  do   ", finding.to_do);
}

std::string heading(const std::string& interface, size_t findings) {
  const std::string name = interface.empty() ? "adit" : interface;
  if (findings == 0) return name + ": all is well\n";
  return name + ": " + config::counted(findings, "fault") + "\n";
}

}  // namespace

std::string report_text(const std::string& interface, const Diagnosis& diagnosis) {
  std::string text = heading(interface, diagnosis.findings.size());
  for (const Finding& finding : diagnosis.findings) text += finding_text(finding);
  if (!diagnosis.well.empty()) text += "\nWhat is well, in the order of a packet's way:\n";
  text += lines("  ok   ", diagnosis.well);
  if (!diagnosis.unseen.empty()) text += "\nWhat could not be looked at:\n";
  text += lines("  ?    ", diagnosis.unseen);
  return text;
}

nlohmann::ordered_json report_json(const std::string& interface, const Diagnosis& diagnosis) {
  using Json = nlohmann::ordered_json;
  Json findings = Json::array();
  for (const Finding& finding : diagnosis.findings) {
    findings.push_back(
        {{"code", code_name(finding.code)}, {"what", finding.what}, {"saw", finding.saw}, {"do", finding.to_do}});
  }
  return {{"interface", interface},
          {"findings", std::move(findings)},
          {"well", diagnosis.well},
          {"unseen", diagnosis.unseen}};
}

}  // namespace adit::doctor
