// What others may see of the gateway: by the control socket and over HTTP.

#include <algorithm>

#include "daemon/gateway.h"
#include "daemon/log.h"
#include "net/clock.h"

namespace adit::daemon {

Snapshot Gateway::snapshot() const {
  Lock lock(core_.mutex);
  Snapshot taken = core_.snapshot();
  taken.when = read_clock();
  lock.unlock();
  taken.started = started_;
  if (relay_) taken.relayed = relay_->stats();
  for (const forward::RuleStats& stats : taken.relayed) taken.drops += stats.drops;
  return taken;
}

/// A server for each address that has none yet, in the configuration's order; none for the others.
Gateway::StatusServers Gateway::start_new_status_servers(const config::Config& wanted) {
  StatusServers servers;
  for (const Endpoint& listen : wanted.metrics.listen) {
    const auto is_it = [&](const auto& server) { return server->listen() == listen; };
    servers.emplace_back();
    if (std::ranges::any_of(status_servers_, is_it)) continue;
    servers.back() = std::make_unique<StatusServer>(loop_, listen, ADIT_VERSION, [this] {
      return Status{config_, snapshot()};
    });
  }
  return servers;
}

/// By the configuration that there is now.  Those that stay keep their clients.
void Gateway::replace_status_servers(StatusServers added) {
  for (size_t i = 0; i < added.size(); ++i) {
    const Endpoint& listen = config_.metrics.listen[i];
    if (added[i]) log::info("{}: status page at http://{}", config_.interface.name, listen.to_string());
    const auto is_it = [&](const auto& server) { return server && server->listen() == listen; };
    if (!added[i]) added[i] = std::move(*std::ranges::find_if(status_servers_, is_it));
  }
  status_servers_ = std::move(added);
}

}  // namespace adit::daemon
