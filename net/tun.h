// A tun device: IP packets in and out of the kernel.  One implementation file per system.
#pragma once

#include <string>
#include <vector>

#include "net/coalesce.h"
#include "net/drop.h"
#include "net/fd.h"
#include "net/offload.h"
#include "net/packet.h"

namespace adit {

/// Or one queue of a device that has several.  Any number of threads may read and write, each with a pool of its own.
class Tun {
 public:
  /// Creates the interface `name` (at most 15 bytes, and not there yet), down and without addresses.  It goes away
  /// with this object.  Throws std::system_error that says what failed and, for a missing privilege or device, what
  /// to do.
  static Tun create(const std::string& name, const Offloads& offloads = {});

  /// The same with so many queues, over which the kernel spreads what it sends: a flow's packets stay on one.  Fewer,
  /// but at least one, where more cannot be had; the interface goes away with the last.
  static std::vector<Tun> create_queues(const std::string& name, size_t queues, const Offloads& offloads = {});

  /// Takes over a device that somebody else opened, on Linux for bare IP packets (IFF_NO_PI), with or without a virtio
  /// header in front, and makes it non-blocking.  Throws std::system_error when it is something else, as far as that
  /// can be seen. `entrance`: the entrance() of a queue; none where there is only one.
  static Tun adopt(Fd fd, const Offloads& offloads = {}, Fd entrance = {});

  Tun(Tun&&) noexcept = default;
  Tun& operator=(Tun&&) noexcept = default;
  ~Tun();
  /// Another process has the device from now on: the interface stays when this object goes.
  void give_away() noexcept;

  /// Readable when there are packets.
  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Where packets are written.
  [[nodiscard]] int entrance() const noexcept { return entrance_ ? entrance_.get() : fd_.get(); }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  /// What the kernel agreed to.
  [[nodiscard]] const Offloads& offloads() const noexcept { return offloads_; }

  /// Appends what is waiting to `out`, cut into packets, up to the super-packet that reaches `limit` packets, dropped
  /// ones included; stops early when there is no more or the pool is empty.  False once the device is gone for good.
  bool read(PacketPool& pool, size_t limit, PacketBatch& out, DropCounters& drops) noexcept;

  /// Writes every packet (and empties the batch); what the kernel refuses is counted.  `coalescer` is the caller's for
  /// its storage.
  void write(PacketBatch& packets, Coalescer& coalescer, DropCounters& drops) noexcept;

 private:
  Tun(Fd fd, Fd entrance, std::string name, bool has_header, Offloads offloads);
  Fd fd_;
  Fd entrance_;  // none: fd_
  std::string name_;
  [[maybe_unused]] bool has_header_;  // on Linux: a VnetHeader in front of each packet
  Offloads offloads_;
};

}  // namespace adit
