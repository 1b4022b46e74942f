// Both directions of a share of the traffic, each on a thread of its own; or on the loop that does everything.
//
// How it works.  The kernel deals out: a flow's packets to one queue of the tun, a peer's datagrams to one of the
// tunnel's sockets, and each worker has one of either.  So nothing is passed on from worker to worker, and what has an
// order keeps it.
#pragma once

#include <memory>

#include "daemon/data_thread.h"
#include "daemon/inbound.h"
#include "daemon/outbound.h"

namespace adit::daemon {

class Worker {
 public:
  /// All is the caller's and outlives this.  `index`: which of the Ports are its own.  `slots` packets of up to
  /// `largest_packet` bytes may be under way in each direction.  `everything`: the loop that serves it; none: it has
  /// threads, which are to be started.
  Worker(Core& core, Ports& ports, size_t index, size_t slots, size_t largest_packet, Loop* everything);

  // To be called while its threads are stopped.  What is watched is unwatched before it is closed.
  void watch_tun();
  void watch_clients(forward::ListenerId listener);
  /// Then there may be other listeners.
  void unwatch_clients();
  void watch_peers();
  void unwatch_peers();
  void unwatch_tun();

  /// Throws std::system_error.
  void start();
  void stop() noexcept;

 private:
  Ports& ports_;
  const size_t index_;
  Outbound outbound_;
  Inbound inbound_;
  std::unique_ptr<DataThread> outbound_thread_;  // none: the caller's loop serves both directions
  std::unique_ptr<DataThread> inbound_thread_;
  Loop& outbound_loop_;
  Loop& inbound_loop_;
};

}  // namespace adit::daemon
