// What the gateway leaves to the next one, and what it takes over from the one before.

#include <algorithm>

#include "daemon/gateway.h"
#include "net/clock.h"

namespace adit::daemon {

SavedState Gateway::save() const {
  const Lock lock(core_.mutex);
  const Now now = read_clock();
  SavedState state;
  state.when = now.wall;
  for (const tunnel::PeerStatus& peer : core_.tunnel.peers()) {
    if (peer.endpoint) state.peers.push_back({peer.public_key, *peer.endpoint});
  }
  state.flows = core_.forwarder.save(now.mono);
  return state;
}

void Gateway::restore_flows(SavedState& before) {
  const Lock lock(core_.mutex);
  const Now now = read_clock();
  const Duration down = std::max<Duration>(now.wall - before.when, Duration{});
  for (forward::SavedFlow& flow : before.flows) flow.idle += down;
  flows_restored_ = core_.forwarder.restore(before.flows, now.mono);
}

/// An endpoint that the configuration names is where the peer is called, whatever was learned.
void Gateway::restore_peers(const SavedState& before) {
  Lock lock(core_.mutex);
  const Now now = read_clock();
  for (const auto& [peer, endpoint] : before.peers) {
    const auto configured = std::ranges::find(config_.peers, peer, &config::Peer::public_key);
    if (configured == config_.peers.end()) continue;
    if (!configured->endpoint) core_.tunnel.set_endpoint(peer, endpoint, now);
    core_.tunnel.greet(peer, now, to_peers_);
  }
  flush(std::move(lock));
}

}  // namespace adit::daemon
