#include "daemon/inbound.h"

#include "net/clock.h"

namespace adit::daemon {

void Inbound::serve(UdpSocket& socket) {
  socket.read(pool_, kBatchSize, incoming_.datagrams, drops_);
  {
    const std::lock_guard lock(core_.mutex);
    core_.tunnel.decapsulate(incoming_, read_clock(), replies_);
  }
  incoming_.open();
  {
    const std::lock_guard lock(core_.mutex);
    const Now now = read_clock();
    core_.tunnel.accept(incoming_, now, inner_, replies_);
    deliver(now.mono);
  }
  flush();
}

void Inbound::deliver(Time now) {
  core_.forwarder.from_tunnel(inner_, now, released_);
  for (size_t i = 0; i < inner_.size(); ++i) {
    switch (released_[i].what) {
      case forward::Release::kToPublic:
        to_client(std::move(inner_[i]), released_[i].to);
        break;
      case forward::Release::kNotOurs:
        if (!ports_.tun.empty())
          to_tun_.push_back(std::move(inner_[i]));
        else
          drops_.count(Drop::kNoTun);
        break;
      case forward::Release::kTaken:
      case forward::Release::kDropped:
        break;
    }
  }
  inner_.clear();
}

void Inbound::to_client(Packet packet, const forward::PublicSide& to) {
  if (to.listener >= to_clients_.size()) to_clients_.resize(to.listener + 1);
  Datagrams& waiting = to_clients_[to.listener];
  if (waiting.empty()) listeners_.push_back(to.listener);
  waiting.push_back({std::move(packet), to.client, Local{to.local}});
}

void Inbound::flush() {
  ports_.write_to_peers(worker_, replies_.sealed(), drops_);
  if (!to_tun_.empty()) ports_.queue_of(worker_).write(to_tun_, coalescer_, drops_);
  for (const forward::ListenerId listener : listeners_) {
    ports_.clients[listener].write(to_clients_[listener], drops_);
    to_clients_[listener].clear();
  }
  listeners_.clear();
  core_.settle(drops_);
}

}  // namespace adit::daemon
