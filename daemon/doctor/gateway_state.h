// Reading what a gateway says of itself, for whoever judges it.
#pragma once

#include <string>

#include "daemon/doctor/facts.h"

namespace adit::doctor {

/// `json` as of daemon/status.h.  Throws std::exception when it is something else.
GatewayState read_gateway_state(const std::string& json);

/// "home", or the key of a peer without a name.
std::string name_of(const PeerState& peer);

/// 0 for a drop that did not happen.
uint64_t count_of(const Drops& drops, const std::string& drop);
/// Of a forward's drop, between the two looks.
uint64_t growth_of(const Facts& facts, size_t forward, const std::string& drop);

/// The peer whose allowed IPs hold an address: the longest prefix decides.
std::optional<size_t> peer_of(const GatewayState& gateway, const Ip& ip);

/// The service of each forward, the first where it has several ports, with its peer; one that no peer has is left out.
/// `config`: the gateway's file, if it is known; without it only services that `to` names in full.
struct ServiceOf {
  size_t forward;
  size_t peer;
  Endpoint to;
};
std::vector<ServiceOf> services_of(const GatewayState& gateway, const std::optional<config::Config>& config);

/// What the file says of a peer; nullptr when nothing does.
const config::Peer* written_peer(const std::optional<config::Config>& config, const PeerState& peer);
/// Whether this gateway calls the peer, by an endpoint that was written or set: others call here.
bool is_called_by_us(const std::optional<config::Config>& config, const PeerState& peer);

/// By the peers' order, whether it is a fault that the peer is not there: a forward leads to it, or this gateway calls
/// it.  Where that is so of none and nobody has ever called, it is a fault of all.
std::vector<bool> needed_peers(const GatewayState& gateway, const std::optional<config::Config>& config);

}  // namespace adit::doctor
