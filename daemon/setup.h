// From the configuration's words to what tunnel and forwarder take.  Pure functions, but where they say what they ask.
#pragma once

#include "config/config.h"
#include "daemon/relay.h"
#include "forward/forwarder.h"
#include "forward/port_range.h"
#include "net/offload.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

/// A peer without its endpoint if that is a name: names are looked up later.
tunnel::PeerSettings tunnel_peer(const config::Peer& peer);

/// The peer's endpoint if it is written as an address.
std::optional<Endpoint> numeric_endpoint(const config::PeerEndpoint& endpoint);

/// `ports`: where SNAT ports are drawn from; `seed`: keys the flow table's hashes.
forward::Settings forward_settings(const config::Config& config, forward::PortRange ports, uint64_t seed);

/// With ports that this machine's kernel does not use itself, and a seed that nobody knows.
forward::Settings forward_settings(const config::Config& config);

/// Of the udp forwards, by forward::ListenerId.
std::vector<config::Listener> udp_listeners(const config::Config& config);

/// The tcp forwards; `seed` keys the limits' hashes.
RelaySettings relay_settings(const config::Config& config, uint64_t seed);

/// The routes of the interface: every peer's allowed IPs, each once.
/// Default routes are left out: they would swallow the tunnel's own datagrams.
std::vector<Prefix> routes(const config::Config& config);

/// Of an inner packet's datagram: what a buffer needs for it.
constexpr size_t with_overhead(size_t inner) noexcept {
  return inner + tunnel::kDataOverhead + tunnel::kPaddingMultiple;
}

/// In bytes: what becomes a train of full datagrams (udp.h), no more.
unsigned largest_super_packet(unsigned mtu);

/// ADIT_OFFLOAD of the environment; everything where it is not set.  Throws std::invalid_argument.
Offloads wanted_offloads();

/// A worker has two threads, one for each direction of traffic.
inline constexpr size_t kMostWorkers = 16;
/// How many threads traffic is to have beside the one that does the rest; 0: none.  ADIT_THREADS of the environment,
/// which must be even and for at most kMostWorkers; where it is not set, default_threads() of the machine's processors.
/// Throws std::invalid_argument.
size_t wanted_threads();
/// None on one processor, else a worker for every two processors, at most eight.
size_t default_threads(unsigned processors) noexcept;
/// Without threads it is one worker, too.
constexpr size_t workers_of(size_t threads) noexcept { return threads < 2 ? 1 : threads / 2; }

}  // namespace adit::daemon
