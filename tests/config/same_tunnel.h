// Whether two configurations make the same interface with the same peers.
#pragma once

#include <algorithm>

#include "config/config.h"
#include "config/wg_quick.h"

namespace adit::config {

inline bool is_same_interface(const Interface& a, const Interface& b) {
  return a.name == b.name && a.private_key == b.private_key && a.listen_port == b.listen_port &&
         a.addresses == b.addresses && a.mtu == b.mtu && a.fwmark == b.fwmark && a.table == b.table &&
         a.add_routes == b.add_routes && a.tun == b.tun;
}

inline bool is_same_peer(const Peer& a, const Peer& b) {
  return a.public_key == b.public_key && a.preshared_key == b.preshared_key && a.endpoint == b.endpoint &&
         a.allowed_ips == b.allowed_ips && a.persistent_keepalive == b.persistent_keepalive;
}

inline bool is_same_tunnel(const Config& a, const Config& b) {
  return is_same_interface(a.interface, b.interface) && std::ranges::equal(a.peers, b.peers, is_same_peer) &&
         a.forwards.size() == b.forwards.size();
}

}  // namespace adit::config
