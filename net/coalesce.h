// Packets for the tun, put together to super-packets (GRO): what segment.h cuts, the other way.  Pure functions on
// bytes.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "net/packet.h"
#include "net/vnet_header.h"

namespace adit {

/// Finds packets that continue each other: of one TCP or UDP flow, of one size but for the last, alike in everything a
/// receiver could see.  The checksum of each is verified before: a damaged packet goes alone, as it came.  Packets of
/// one flow stay in order.  Keeps its storage.
class Coalescer {
 public:
  static constexpr size_t kMaxPieces = 64;
  struct Allowed {
    bool tcp;
    bool udp;
  };
  struct Run {
    VnetHeader header;
    size_t packets;
    size_t first;  // for pieces()
  };
  struct Candidate;  // a packet that may join others
  using Pieces = std::array<ConstBytes, kMaxPieces>;

  /// The headers of each run's first packet become those of the super-packet.  The packets stay where they are, and
  /// must as long as the runs are used.
  void form(std::span<Packet> packets, Allowed allowed) noexcept;
  [[nodiscard]] std::span<const Run> runs() const noexcept { return runs_; }
  /// What to write for a run: its first packet, then the payloads of the others.
  [[nodiscard]] std::span<const ConstBytes> pieces(const Run& run, Pieces& room) const noexcept;

 private:
  /// A run that may grow.
  struct Open {
    size_t run;
    size_t last;  // the packet that the next one is chained to
    bool v4;
    bool tcp;
    bool verified;  // the first one's checksum
    bool closed;    // nothing joins it any more, but it is the flow's newest
    size_t headers;
    size_t segment_size;
    size_t total;  // bytes of the super-packet
    uint32_t next_sequence;
  };
  struct Link {
    size_t headers;  // to leave out when it is not the first
    size_t next;
  };
  void add(Packet& packet, size_t index, Allowed allowed) noexcept;
  void add_alone(size_t index) noexcept;
  void open(const Candidate& candidate, size_t index, Open* in_place_of) noexcept;
  [[nodiscard]] Open* find(const Candidate& candidate) noexcept;
  [[nodiscard]] bool joins(Open& open, const Candidate& candidate) noexcept;
  void join(Open& open, const Candidate& candidate, size_t index) noexcept;
  void finish(Open& open) noexcept;
  void finish_all() noexcept;

  static constexpr size_t kOpenFlows = 8;
  std::span<Packet> packets_;
  std::vector<Run> runs_;
  std::vector<Link> links_;  // by packet
  std::array<Open, kOpenFlows> open_;
  size_t open_count_ = 0;
  size_t oldest_ = 0;  // the one to give up for another flow
};

}  // namespace adit
