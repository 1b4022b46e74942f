// What a gateway is doing, as JSON: the contents of `adit show --json`.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "config/config.h"
#include "daemon/core.h"

namespace adit::daemon {

/// What there is to show of a gateway.
struct Status {
  config::Config config;  // without keys
  Snapshot snapshot;
};

/// Calls `visit` with each configured forward and its figures, in the configuration's order.
template <typename Visit>
void for_each_forward(const config::Config& config, const Snapshot& snapshot, Visit visit) {
  auto by_packets = snapshot.rules.begin();
  auto relayed = snapshot.relayed.begin();
  for (const config::Forward& each : config.forwards) {
    visit(each, each.protocol == config::Protocol::kUdp ? *by_packets++ : *relayed++);
  }
}

/// "time" (Unix time, in seconds), objects "interface", "peers", "forwards", "drops"; drop counters that are zero are
/// left out, and so are a peer's "trouble" and the "strangers" (tunnel/trouble.h) where there is none.
nlohmann::ordered_json status_of(const config::Config& config, const Snapshot& snapshot);

}  // namespace adit::daemon
