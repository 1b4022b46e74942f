#include "daemon/core.h"

#include <algorithm>

namespace adit::daemon {

void Ports::write_to_peers(size_t worker, Datagrams& datagrams, DropCounters& drops) noexcept {
  const std::span<UdpSocket> sockets = worker < peers.size() ? std::span(peers[worker]) : std::span<UdpSocket>();
  auto begin = datagrams.begin();
  while (begin != datagrams.end()) {
    const bool v4 = begin->remote.ip.is_v4();
    const auto end = std::find_if(begin, datagrams.end(),
                                  [v4](const Datagram& datagram) { return datagram.remote.ip.is_v4() != v4; });
    const auto socket =
        std::ranges::find_if(sockets, [v4](const UdpSocket& each) { return each.local().ip.is_v4() == v4; });
    if (socket != sockets.end()) {
      socket->write({begin, end}, drops);
    } else {
      drops.count(Drop::kSocketError, static_cast<uint64_t>(end - begin));
    }
    begin = end;
  }
  datagrams.clear();
}

void Core::replace_forwarder(forward::Forwarder next, Time now) {
  next.take_over(forwarder, now);
  forwarder = std::move(next);
}

bool Core::has_news() const noexcept {
  return lost_tun || tunnel.has_events() || forwarder.has_fullness() ||
         std::min(tunnel.next_deadline(), forwarder.next_deadline()) < armed;
}

Snapshot Core::snapshot() {
  Snapshot taken;
  if (!tunnel.private_key().is_zero()) taken.public_key = tunnel.public_key();
  taken.peers = tunnel.peers();
  for (tunnel::PeerStatus& peer : taken.peers) peer.preshared_key.clear();
  taken.strangers = tunnel.strangers();
  taken.drops = drops;
  taken.drops += tunnel.drops();
  taken.drops += forwarder.drops();
  for (forward::RuleId id = 0; id < forwarder.rule_count(); ++id) {
    taken.rules.push_back(forwarder.stats(id));
    taken.drops += forwarder.stats(id).drops;
  }
  return taken;
}

void Core::settle(DropCounters& counted) {
  const std::lock_guard lock(mutex);
  drops += counted;
  counted = {};
  if (has_news()) wake();
}

}  // namespace adit::daemon
