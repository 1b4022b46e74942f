#include "tunnel/allowed_ips.h"

#include "tunnel/peer.h"

namespace adit::tunnel {

void AllowedIps::give(Peer& peer, const Prefix& prefix) {
  std::list<Prefix>& list = peer.allowed_ips;
  if (const Entry* had = entries_.find_exact(prefix)) {
    list.splice(list.end(), had->peer->allowed_ips, had->place);
  } else {
    list.push_back(prefix);
  }
  entries_.set(prefix, {&peer, std::prev(list.end())});
}

void AllowedIps::take(Peer& peer, const Prefix& prefix) noexcept {
  const Entry* had = entries_.find_exact(prefix);
  if (had == nullptr || had->peer != &peer) return;
  peer.allowed_ips.erase(had->place);
  entries_.erase(prefix);
}

void AllowedIps::take_all(Peer& peer) noexcept {
  for (const Prefix& prefix : peer.allowed_ips) entries_.erase(prefix);
  peer.allowed_ips.clear();
}

}  // namespace adit::tunnel
