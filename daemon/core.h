// What the two directions of traffic and the loop share.
//
// How it works.  Outbounds and Inbounds move packets, each perhaps on a thread of its own; the loop does everything
// else. Who looks at the Core holds its mutex, for as long as it takes to route a batch, to judge it, or for a
// handshake: never while packets are read, encrypted or written, nor while anything is written to the log.  The Ports
// change only while nobody serves them.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "forward/forwarder.h"
#include "net/tun.h"
#include "net/udp.h"
#include "tunnel/tunnel.h"

namespace adit::daemon {

/// The descriptors that packets come and go by.
struct Ports {
  std::vector<Tun> tun;                       // none, or its queues: one for each worker, or fewer
  std::vector<std::vector<UdpSocket>> peers;  // the tunnel's, by worker, one per IP version; none while it is down
  std::vector<UdpSocket> clients;             // the forwards', by ListenerId

  /// Where a worker writes packets for the kernel.  There must be a tun.
  [[nodiscard]] Tun& queue_of(size_t worker) noexcept { return tun[worker < tun.size() ? worker : 0]; }
  /// By the worker's sockets, each run of datagrams of one IP version in one go.  Empties the list.
  ///
  /// Two workers may have datagrams for one peer at a time, and so some leave after others whose nonces are higher.
  /// What a worker has taken nonces for is a batch, of the 8128 that a replay window (tunnel/replay.h) looks back: only
  /// who is kept from its processor while another sends so many is too late with it, and those packets are lost.  Of
  /// one inner flow all go by one worker, in order.
  void write_to_peers(size_t worker, Datagrams& datagrams, DropCounters& drops) noexcept;
};

/// What a person may want to know of a Core, in copies.
struct Snapshot {
  Now when{};          // it was taken
  WallTime started{};  // the gateway was
  std::optional<crypto::PublicKey> public_key;
  std::vector<tunnel::PeerStatus> peers;  // without keys that are secret
  std::vector<tunnel::Stranger> strangers;
  std::vector<forward::RuleStats> rules;    // by forward::RuleId
  std::vector<forward::RuleStats> relayed;  // tcp forwards, by their order
  DropCounters drops;                       // for any reason, here and below
};

struct Core {
  Core(const crypto::PrivateKey& key, uint16_t mtu, PacketPool& pool, forward::Settings settings)
      : tunnel(key, mtu, pool), forwarder(std::move(settings)) {}

  /// Takes the place of the one there is: flows that both can have go on, rules of the same name go on counting.
  void replace_forwarder(forward::Forwarder next, Time now);

  std::mutex mutex;
  tunnel::Tunnel tunnel;
  forward::Forwarder forwarder;
  DropCounters drops;     // of the Ports
  Time armed = kNever;    // when the loop will wake at the latest
  bool lost_tun = false;  // it went away

  /// Calls the loop, from any thread.
  std::function<void()> wake;
  /// Whether there is something for the loop to do before it wakes.  Asked for each batch, so it looks at no rule and
  /// no peer.
  [[nodiscard]] bool has_news() const noexcept;
  [[nodiscard]] Snapshot snapshot();
  /// At the end of a batch, without the mutex: takes over what was counted, and calls the loop if there is news.
  void settle(DropCounters& counted);
};

}  // namespace adit::daemon
