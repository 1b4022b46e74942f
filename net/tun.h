// A tun device: IP packets in and out of the kernel.  One implementation file per system.
#pragma once

#include <string>

#include "net/coalesce.h"
#include "net/drop.h"
#include "net/fd.h"
#include "net/offload.h"
#include "net/packet.h"

namespace adit {

/// Any number of threads may read and write, each with a pool of its own.
class Tun {
 public:
  /// Creates the interface `name` (at most 15 bytes, and not there yet), down and without addresses.  It goes away
  /// with this object.  Throws std::system_error that says what failed and, for a missing privilege or device, what
  /// to do.
  static Tun create(const std::string& name, const Offloads& offloads = {});

  /// Takes over a device that somebody else opened for bare IP packets (IFF_NO_PI), with or without a virtio header in
  /// front, and makes it non-blocking.  Throws std::system_error when it is something else, as far as that can be seen.
  static Tun adopt(Fd fd, const Offloads& offloads = {});

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
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
  Tun(Fd fd, std::string name, bool has_header, Offloads offloads);
  [[nodiscard]] bool write_run(const Coalescer& coalescer, const Coalescer::Run& run) noexcept;

  Fd fd_;
  std::string name_;
  bool has_header_;  // a VnetHeader in front of each packet
  Offloads offloads_;
};

}  // namespace adit
