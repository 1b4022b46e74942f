// Which peer's timers are due next.
#pragma once

#include <set>
#include <utility>

#include "tunnel/peer.h"

namespace adit::tunnel {

/// Peers in the order of their deadlines.  Moving one reuses its node: nothing is allocated after add().
class Schedule {
 public:
  void add(Peer& peer) { peers_.emplace(peer.scheduled, &peer); }

  void remove(Peer& peer) noexcept { peers_.erase({peer.scheduled, &peer}); }

  /// Brings a peer's place up to date with its timers.
  void update(Peer& peer) noexcept {
    const Time deadline = peer.timers.deadline();
    if (deadline == peer.scheduled) return;
    auto node = peers_.extract({peer.scheduled, &peer});
    peer.scheduled = deadline;
    node.value() = {deadline, &peer};
    peers_.insert(std::move(node));
  }

  /// The peer whose deadline comes first, if it has passed.
  [[nodiscard]] Peer* due(Time now) const noexcept {
    if (peers_.empty() || peers_.begin()->first > now) return nullptr;
    return peers_.begin()->second;
  }
  [[nodiscard]] Time next_deadline() const noexcept { return peers_.empty() ? kNever : peers_.begin()->first; }

 private:
  std::set<std::pair<Time, Peer*>> peers_;
};

}  // namespace adit::tunnel
