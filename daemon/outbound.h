// Into the tunnel: what the kernel has for peers, and what clients send to forwarded ports.
#pragma once

#include "daemon/core.h"

namespace adit::daemon {

class Outbound {
 public:
  /// `core` and `ports` outlive this; `worker` says which of the ports are its own.  `slots` packets of up to
  /// `largest_packet` bytes may be under way.
  Outbound(Core& core, Ports& ports, size_t worker, size_t slots, size_t largest_packet)
      : core_(core), ports_(ports), worker_(worker), pool_(slots, largest_packet) {
    pool_.add_large(kLargeSlots, kLargestPayload);
  }

  /// When its queue of the tun is readable, which it must have.  False once it is gone for good, which the loop is
  /// told.
  [[nodiscard]] bool serve_tun();
  /// When a client's datagrams can be read.
  void serve_clients(forward::ListenerId listener);

 private:
  /// Datagrams of clients that do not fit a packet of the tunnel, and so are cut right away; UDP over IPv6's most.
  static constexpr size_t kLargeSlots = 16;
  static constexpr size_t kLargestPayload = 65527;

  void encapsulate();
  void flush();

  Core& core_;
  Ports& ports_;
  const size_t worker_;
  PacketPool pool_;  // before everything that holds packets
  DropCounters drops_;

  // The batch under way, kept between wake-ups for its storage.
  Datagrams from_clients_;
  PacketBatch inner_;
  PacketBatch unreachable_;  // answers to packets that no peer takes
  tunnel::Outgoing to_peers_;
  Coalescer coalescer_;
};

}  // namespace adit::daemon
