// Super-packets from the kernel, cut into the packets they stand for (TSO, USO).  Pure functions on bytes.
#pragma once

#include "net/drop.h"
#include "net/packet.h"
#include "net/vnet_header.h"

namespace adit {

/// Appends what `packet` stands for to `out`: itself, with its checksum completed, or its segments, each a whole packet
/// with lengths, sequence number and checksums of its own.  Nothing in `header` is trusted.
/// kBadOffload: the header does not fit the packet.  kTruncatedRead: a segment is larger than the pool's packets.
/// kNoBuffer: the pool is empty; what was cut before stays in `out`.
Drop segment(ConstBytes packet, const VnetHeader& header, PacketPool& pool, PacketBatch& out) noexcept;

}  // namespace adit
