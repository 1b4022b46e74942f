#include "net/offload.h"

#include <stdexcept>
#include <string>

namespace adit {
namespace {

constexpr Offloads kNone{false, false, false, false};

struct Named {
  std::string_view name;
  bool Offloads::*flag;
};
constexpr Named kNames[] = {
    {"tso", &Offloads::tso}, {"uso", &Offloads::uso}, {"segment", &Offloads::segment}, {"gro", &Offloads::gro}};

bool Offloads::*flag_of(std::string_view name) {
  for (const Named& each : kNames) {
    if (each.name == name) return each.flag;
  }
  throw std::invalid_argument("\"" + std::string(name) + "\" is no offload: all, none, or some of tso,uso,segment,gro");
}

}  // namespace

Offloads parse_offloads(std::string_view text) {
  if (text == "all") return {};
  Offloads chosen = kNone;
  if (text == "none") return chosen;
  for (;;) {
    const size_t comma = text.find(',');
    chosen.*flag_of(text.substr(0, comma)) = true;
    if (comma == std::string_view::npos) return chosen;
    text.remove_prefix(comma + 1);
  }
}

std::string to_string(const Offloads& offloads) {
  std::string text;
  for (const Named& each : kNames) {
    if (!(offloads.*each.flag)) continue;
    if (!text.empty()) text += ',';
    text += each.name;
  }
  return text.empty() ? "none" : text;
}

}  // namespace adit
