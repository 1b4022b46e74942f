#include "daemon/peer_changes.h"

#include <map>

#include "daemon/difference.h"
#include "daemon/setup.h"

namespace adit::daemon {
namespace {

using Peers = std::map<crypto::PublicKey, const config::Peer*>;

Peers by_key(const std::vector<config::Peer>& peers) {
  Peers all;
  for (const config::Peer& peer : peers) all.emplace(peer.public_key, &peer);
  return all;
}

/// `before`: what the configuration had for it, if anything.
void change_endpoint(const config::Peer* before, const config::Peer& wanted, tunnel::Tunnel& tunnel, Resolver& resolver,
                     Now now) {
  if (before != nullptr && before->endpoint == wanted.endpoint) return;
  resolver.remove(wanted.public_key);
  if (!wanted.endpoint) return;  // it stays where it was heard of last
  if (const auto endpoint = numeric_endpoint(*wanted.endpoint)) {
    tunnel.set_endpoint(wanted.public_key, *endpoint, now);
  } else {
    resolver.add(wanted.public_key, *wanted.endpoint, now.mono);
  }
}

void change_peer(const tunnel::PeerStatus& running, const config::Peer& wanted, tunnel::Tunnel& tunnel, Now now) {
  const crypto::PublicKey& key = wanted.public_key;
  tunnel.set_preshared_key(key, wanted.preshared_key);
  const seconds keepalive(wanted.persistent_keepalive);
  if (keepalive != running.persistent_keepalive) tunnel.set_persistent_keepalive(key, keepalive, now);
  for (const Prefix& prefix : only_in(wanted.allowed_ips, running.allowed_ips)) tunnel.allow_ip(key, prefix);
}

/// What the peer has too much.  After everybody was given theirs, so that a prefix that moves is never nobody's.
void disallow_rest(const tunnel::PeerStatus& running, const config::Peer& wanted, tunnel::Tunnel& tunnel) {
  for (const Prefix& prefix : only_in(running.allowed_ips, wanted.allowed_ips)) {
    tunnel.disallow_ip(wanted.public_key, prefix);
  }
}

}  // namespace

void add_peer(const config::Peer& peer, tunnel::Tunnel& tunnel, Resolver& resolver, Now now) {
  const tunnel::PeerSettings settings = tunnel_peer(peer);
  tunnel.add_peer(settings, now);
  if (peer.endpoint && !settings.endpoint) resolver.add(peer.public_key, *peer.endpoint, now.mono);
}

void change_peers(const std::vector<config::Peer>& before, const std::vector<config::Peer>& wanted,
                  tunnel::Tunnel& tunnel, Resolver& resolver, Now now) {
  const Peers configured = by_key(before);
  const Peers stay = by_key(wanted);
  const std::vector<tunnel::PeerStatus> running = tunnel.peers();
  for (const config::Peer& peer : wanted) {
    if (!tunnel.has_peer(peer.public_key)) add_peer(peer, tunnel, resolver, now);
  }
  for (const tunnel::PeerStatus& peer : running) {
    const auto kept = stay.find(peer.public_key);
    if (kept == stay.end()) {
      tunnel.remove_peer(peer.public_key);
      resolver.remove(peer.public_key);
      continue;
    }
    const auto known = configured.find(peer.public_key);
    change_peer(peer, *kept->second, tunnel, now);
    change_endpoint(known == configured.end() ? nullptr : known->second, *kept->second, tunnel, resolver, now);
  }
  for (const tunnel::PeerStatus& peer : running) {
    if (const auto kept = stay.find(peer.public_key); kept != stay.end()) disallow_rest(peer, *kept->second, tunnel);
  }
}

}  // namespace adit::daemon
