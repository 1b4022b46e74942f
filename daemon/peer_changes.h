// From one list of peers to another while the tunnel runs.
#pragma once

#include <vector>

#include "config/config.h"
#include "daemon/resolver.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

/// Adds a peer as the configuration has it; a name for its endpoint is looked up from now on.
void add_peer(const config::Peer& peer, tunnel::Tunnel& tunnel, Resolver& resolver, Now now);

/// The tunnel's peers become `wanted`, whatever else was set meanwhile; sessions of peers that stay go on.  An endpoint
/// that has been learned since stays too, unless the configuration's own is another than in `before`.
void change_peers(const std::vector<config::Peer>& before, const std::vector<config::Peer>& wanted,
                  tunnel::Tunnel& tunnel, Resolver& resolver, Now now);

}  // namespace adit::daemon
