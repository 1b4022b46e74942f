#include "daemon/outbound.h"

#include "net/clock.h"

namespace adit::daemon {

bool Outbound::serve_tun() {
  const bool is_there = ports_.queue_of(worker_).read(pool_, kBatchSize, inner_, drops_);
  {
    const std::lock_guard lock(core_.mutex);
    core_.lost_tun |= !is_there;
    encapsulate();
  }
  if (!unreachable_.empty()) ports_.queue_of(worker_).write(unreachable_, coalescer_, drops_);
  flush();
  return is_there;
}

void Outbound::serve_clients(forward::ListenerId listener) {
  ports_.clients[listener].read(pool_, kBatchSize, from_clients_, drops_);
  {
    const std::lock_guard lock(core_.mutex);
    core_.forwarder.from_public(listener, from_clients_, read_clock().mono, pool_, inner_);
    encapsulate();
  }
  from_clients_.clear();
  unreachable_.clear();  // nobody waits for them
  flush();
}

void Outbound::encapsulate() { core_.tunnel.encapsulate(inner_, read_clock(), to_peers_, unreachable_); }

void Outbound::flush() {
  ports_.write_to_peers(worker_, to_peers_.sealed(), drops_);
  core_.settle(drops_);
}

}  // namespace adit::daemon
