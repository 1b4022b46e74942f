#include "daemon/doctor/diagnosis.h"

#include <algorithm>
#include <array>

namespace adit::doctor {
namespace {

constexpr std::array<std::string_view, static_cast<size_t>(Code::kCount)> kNames = {
    "config_wrong",      "swapped_keys", "no_permission",     "no_tun",         "interface_exists", "port_in_use",
    "address_missing",   "not_running",  "port_closed",       "wrong_key",      "wrong_psk",        "clock_off",
    "endpoint_gone",     "old_session",  "wrong_allowed_ips", "mtu_black_hole", "service_dead",     "flow_table_full",
    "source_flows_full",
};
static_assert(!kNames.back().empty(), "every code has a name");

}  // namespace

std::string_view code_name(Code code) noexcept { return kNames[static_cast<size_t>(code)]; }

bool Diagnosis::has(Code code) const noexcept {
  return std::ranges::find(findings, code, &Finding::code) != findings.end();
}

}  // namespace adit::doctor
