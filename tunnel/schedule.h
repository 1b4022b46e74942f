// Which peer's timers are due next.
#pragma once

#include <set>
#include <utility>

#include "tunnel/peer.h"

namespace adit::tunnel {

/// Peers in the order of their deadlines.  Moving one reuses its node: nothing is allocated after add().
///
/// A deadline that is put off does not move its peer: traffic puts deadlines off with every packet, and among thousands
/// of peers a move costs as much as sealing two.  So a peer may come up before its time; that is once in some seconds.
class Schedule {
 public:
  void add(Peer& peer) { peers_.emplace(peer.scheduled, &peer); }

  void remove(Peer& peer) noexcept { peers_.erase({peer.scheduled, &peer}); }

  /// The peer's timers have changed: it comes up no later than it should.
  void hasten(Peer& peer) noexcept {
    if (peer.timers.deadline() < peer.scheduled) update(peer);
  }
  /// Puts a peer that has come up where its timers want it.
  void update(Peer& peer) noexcept {
    const Time deadline = peer.timers.deadline();
    if (deadline == peer.scheduled) return;
    auto node = peers_.extract({peer.scheduled, &peer});
    peer.scheduled = deadline;
    node.value() = {deadline, &peer};
    peers_.insert(std::move(node));
  }

  /// The peer that comes up first, if its time has passed.
  [[nodiscard]] Peer* due(Time now) const noexcept {
    if (peers_.empty() || peers_.begin()->first > now) return nullptr;
    return peers_.begin()->second;
  }
  /// When a peer next comes up.
  [[nodiscard]] Time next_deadline() const noexcept { return peers_.empty() ? kNever : peers_.begin()->first; }

 private:
  std::set<std::pair<Time, Peer*>> peers_;
};

}  // namespace adit::tunnel
