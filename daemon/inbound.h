// Out of the tunnel: what peers send goes to a client if a flow knows it, else to the kernel.
#pragma once

#include "daemon/core.h"

namespace adit::daemon {

class Inbound {
 public:
  /// `core` and `ports` outlive this; `worker` says which of the ports are its own.  `slots` datagrams of up to
  /// `largest_datagram` bytes may be under way.
  Inbound(Core& core, Ports& ports, size_t worker, size_t slots, size_t largest_datagram)
      : core_(core), ports_(ports), worker_(worker), pool_(slots, largest_datagram) {}

  /// When one of its sockets is readable.
  void serve(UdpSocket& socket);

 private:
  void deliver(Time now);
  void to_client(Packet packet, const forward::PublicSide& to);
  void flush();

  Core& core_;
  Ports& ports_;
  const size_t worker_;
  PacketPool pool_;  // before everything that holds packets
  DropCounters drops_;

  // The batch under way, kept between wake-ups for its storage.
  tunnel::Incoming incoming_;
  PacketBatch inner_;
  std::vector<forward::Released> released_;  // of inner_
  tunnel::Outgoing replies_;
  PacketBatch to_tun_;
  std::vector<Datagrams> to_clients_;           // by ListenerId
  std::vector<forward::ListenerId> listeners_;  // by which some are to leave
  Coalescer coalescer_;
};

}  // namespace adit::daemon
