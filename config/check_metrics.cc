// Where metrics are listened on, beside each other and beside the forwards.
#include <algorithm>
#include <string>

#include "config/check.h"

namespace adit::config {
namespace {

/// Each has a thread.
constexpr size_t kMostListeners = 4;

/// The tcp forward's entry that has this address and port, if any.
const PlacedPorts* taken_by(const Endpoint& listen, const Places& places) {
  const auto has_port = [&](const PortRange& range) { return range.first <= listen.port && listen.port <= range.last; };
  for (const ForwardPlaces& forward : places.forwards) {
    if (forward.known_protocol != Protocol::kTcp) continue;
    for (const PlacedPorts& entry : forward.listen) {
      const bool is_any = entry.ip.is_unspecified() && entry.ip.is_v4() == listen.ip.is_v4();
      if ((is_any || entry.ip == listen.ip) && std::ranges::any_of(entry.ports, has_port)) return &entry;
    }
  }
  return nullptr;
}

}  // namespace

void check_metrics(const Config& config, const Places& places, Problems& problems) {
  const std::vector<Endpoint>& listen = config.metrics.listen;
  if (listen.size() > kMostListeners) {
    problems.add(places.metrics_listen[kMostListeners],
                 "metrics are listened for at " + std::to_string(kMostListeners) + " addresses at most");
  }
  for (size_t i = 0; i < listen.size(); ++i) {
    const std::string taken = listen[i].to_string() + " is already listened on, ";
    const auto earlier = static_cast<size_t>(std::ranges::find(listen, listen[i]) - listen.begin());
    if (earlier < i) problems.add(places.metrics_listen[i], taken + line_of(places.metrics_listen[earlier]));
    const PlacedPorts* entry = taken_by(listen[i], places);
    if (entry != nullptr) problems.add(places.metrics_listen[i], taken + line_of(entry->place));
  }
}

}  // namespace adit::config
