// UDP sockets that work in batches and know the local address of each datagram, so that an answer leaves from the
// address that was hit.  One implementation file per system.
#pragma once

#include <atomic>
#include <memory>

#include "net/datagram.h"
#include "net/drop.h"
#include "net/fd.h"
#include "net/offload.h"

namespace adit {

/// Any number of threads may read and write, each with a pool of its own.
class UdpSocket {
 public:
  /// Binds to an address (or the unspecified one; IPv6 never takes IPv4) and port (0: the kernel chooses).
  /// Non-blocking, large buffers.  Throws std::system_error "bind udp ADDRESS: reason".
  static UdpSocket bind(const Endpoint& local, const Offloads& offloads = {});

  /// One more socket where this one is bound.  What comes is spread over all of them, by remote address and port; what
  /// is sent by any comes from the same port.  From then on a program of the same user that asks to share the port may,
  /// too.  To be called before anything else is done with this one: its descriptor may be another afterwards.  Throws
  /// std::system_error.
  [[nodiscard]] UdpSocket bind_beside(const Offloads& offloads = {});

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// The bound address with the real port.
  [[nodiscard]] const Endpoint& local() const noexcept { return local_; }
  /// Whether alike datagrams leave together; false where that was not wanted, and once the kernel has refused it.
  [[nodiscard]] bool sends_trains() const noexcept { return sends_trains_->load(std::memory_order_relaxed); }

  /// Marks outgoing packets for the kernel's routing policy; 0 is none.  On Linux it is SO_MARK; on FreeBSD it is the
  /// number of the routing table (FIB) that they go by, and 0 the one of this process.  Throws std::system_error, on
  /// FreeBSD also when the kernel has not so many tables (net.fibs).
  void set_mark(uint32_t mark);

  /// Appends what is waiting to `out`, up to the system call that reaches `limit` datagrams.  Datagrams larger than any
  /// packet buffer of the pool's (it may have a few large ones), or that find none, are dropped and counted.
  void read(PacketPool& pool, size_t limit, Datagrams& out, DropCounters& drops) noexcept;

  /// Sends datagrams, each from its own local address where it has one.  If the kernel no longer has that address it is
  /// sent again from whichever the kernel chooses.  What the kernel refuses is counted and its packet destroyed; the
  /// rest are tried all the same.
  void write(std::span<Datagram> datagrams, DropCounters& drops) noexcept;

 private:
  UdpSocket(Fd fd, const Endpoint& local, bool sends_trains)
      : fd_(std::move(fd)), local_(local), sends_trains_(std::make_unique<std::atomic<bool>>(sends_trains)) {}
  Fd fd_;
  Endpoint local_;
  std::unique_ptr<std::atomic<bool>> sends_trains_;  // so that the socket can be moved
};

}  // namespace adit
