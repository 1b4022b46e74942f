// A Diagnosis for people and for programs.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "daemon/doctor/diagnosis.h"

namespace adit::doctor {

std::string report_text(const std::string& interface, const Diagnosis& diagnosis);

/// Objects "interface", "findings" (each "code", "what", "saw", "do"), "well" and "unseen".
nlohmann::ordered_json report_json(const std::string& interface, const Diagnosis& diagnosis);

}  // namespace adit::doctor
