// Everything known about one peer.  The Tunnel is its only user; it holds the parts together.
#pragma once

#include <list>
#include <optional>

#include "net/datagram.h"
#include "tunnel/cookie.h"
#include "tunnel/keypair.h"
#include "tunnel/noise.h"
#include "tunnel/timers.h"
#include "tunnel/trouble.h"

namespace adit::tunnel {

class alignas(kCacheLine) Peer {
 public:
  /// `serial` tells the peers' age: larger for each that is added.
  Peer(const crypto::PublicKey& key, uint64_t serial_number) noexcept
      : public_key(key), serial(serial_number), handshake(key), cookies(key) {}

  // What every packet asks for lies together, in front.
  Keypairs keypairs;
  PacketBatch staged;                // inner packets, padded by nobody yet, that wait for a session; oldest first
  std::optional<Endpoint> endpoint;  // the source of the last authenticated message, or as configured
  Local local;                       // our address that message was sent to, unless it is refused
  Timers timers;
  uint64_t received_bytes = 0;  // UDP payload of authenticated messages whose inner packet was taken
  uint64_t sent_bytes = 0;
  Time scheduled = kNever;  // its key in the Tunnel's Schedule
  bool touched = false;     // is in the Tunnel's list of peers to settle

  Local refused_local;  // not to be answered from: the route to `endpoint` leaves by another interface
  const crypto::PublicKey public_key;
  const uint64_t serial;
  Handshake handshake;
  CookieJar cookies;
  std::list<Prefix> allowed_ips;            // kept by AllowedIps
  std::optional<Time> last_handshake_sent;  // initiation or response
  WallTime last_handshake_complete{};       // epoch: never
  PeerTrouble trouble;

  /// Has the front part brought near while other things are done.
  void prefetch() const noexcept {
    const auto* const end = reinterpret_cast<const char*>(&touched + 1);
    for (const auto* line = reinterpret_cast<const char*>(this); line < end; line += kCacheLine)
      __builtin_prefetch(line);
  }
  /// What the timer rules call an authenticated message on its way out or in.
  void authenticated_sent(Time now) noexcept {
    timers.any_authenticated_sent();
    timers.any_authenticated_traversal(now);
  }
  void authenticated_received(Time now) noexcept {
    timers.any_authenticated_received();
    timers.any_authenticated_traversal(now);
  }
  /// The address may be why nothing arrives: let the kernel choose again.
  void forget_local_address() noexcept { local = refused_local = {}; }
  /// What is still on its way to a refused address must not bring it back.
  void learn_local_address(const Local& from) noexcept {
    if (from != local) local = from == refused_local ? Local{} : from;
  }
};

}  // namespace adit::tunnel
