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
    forward_all(listener);
    encapsulate();
  }
  from_clients_.clear();
  unreachable_.clear();  // nobody waits for them
  flush();
}

void Outbound::forward_all(forward::ListenerId listener) {
  const Time now = read_clock().mono;
  sides_.clear();
  for (const Datagram& each : from_clients_) sides_.push_back({listener, each.remote, each.local.ip});
  core_.forwarder.look_ahead(sides_);
  for (size_t i = 0; i < sides_.size(); ++i) {
    core_.forwarder.from_public(sides_[i], std::move(from_clients_[i].packet), now, pool_, inner_);
  }
}

void Outbound::encapsulate() { core_.tunnel.encapsulate(inner_, read_clock(), to_peers_, unreachable_); }

void Outbound::flush() {
  ports_.write_to_peers(worker_, to_peers_.sealed(), drops_);
  core_.settle(drops_);
}

}  // namespace adit::daemon
