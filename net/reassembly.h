// Fragments put together (RFC 791 3.2, RFC 8200 4.5).  No I/O, no clock.
//
// How it works.  The first fragment of a datagram to come, whichever it is, takes a place and room for the largest
// datagram there may be; every fragment is copied to where it belongs, and when there is nothing missing the room
// itself is the packet that comes out.  A map of 8-byte units says what has come, so that fragments cost the same
// however small and however many they are, and neither memory nor time is an attacker's to choose.
//
// What is refused.
//   - Fragments that overlap (RFC 5722, RFC 8200): the datagram is abandoned, and what else comes of it until its time
//     is over is dropped.  So it is for IPv4, where nobody has to overlap either.  A fragment that is another once
//     more, byte by byte, changes nothing.
//   - A first fragment that is smaller than what the smallest link carries, 68 bytes, would have been: it is made to
//   hide
//     the header of what is in it (RFC 1858, RFC 7112).  The others may be as small as they like: fragments for a link
//     of 1500 bytes that are cut again for one of 1492 leave 8.  Nor has IPv6 such a rule.
//   - Fragments that reach beyond what an IP header's length can say, or contradict each other about the end.
//   - Datagrams of which a part is marked "congestion" and another is of no ECN-capable transport (RFC 3168 5.3).
//
// When places are few.  A datagram has 15 seconds from its first fragment on (RFC 791 3.2; the longer times of RFC 1122
// and RFC 8200 are for networks where fragments take ways of their own).  Without a place for one more the oldest goes;
// a source that has as many as one may have loses its own oldest.
//
// Not handled here: IPv6 fragments behind other extension headers (not ours), fragments of fragments (what comes out is
// one then), ICMP about time exceeded.
#pragma once

#include <memory>
#include <vector>

#include "net/drop.h"
#include "net/fragment.h"
#include "net/packet.h"
#include "net/time.h"

namespace adit {

enum class Taken : uint8_t {
  kNotAFragment,  // untouched
  kKept,          // the packet is empty now
  kWhole,         // the packet is the whole datagram now
  kDropped,       // counted; the packet is empty now
};

/// Times given to it never run backwards.  Must outlive the packets it gives, and stay where it is.
class Reassembler {
 public:
  static constexpr Duration kTimeout = seconds(15);

  struct Limits {
    size_t datagrams = 64;   // incomplete at a time
    size_t per_source = 16;  // of them, from one address
    size_t whole = 16;       // packets given out and still in use
  };

  /// 64 KiB of address space for each datagram, of which only what was used is memory.  Throws std::bad_alloc.
  explicit Reassembler(const Limits& limits);
  ~Reassembler();
  Reassembler(const Reassembler&) = delete;
  Reassembler& operator=(const Reassembler&) = delete;

  /// Takes a fragment of any protocol.  The whole datagram has the first fragment's header, without options of its own
  /// making: length, fragment fields, ECN and checksum set anew.  Its memory is the Reassembler's, and any thread may
  /// give it back.  Drops count fragments: those that were kept, too, when their datagram is dropped.
  Taken take(Packet& packet, Time now, DropCounters& drops) noexcept;

  /// Drops what has been incomplete for kTimeout.
  void expire(Time now, DropCounters& drops) noexcept;
  /// When expire() next has something to do; kNever when nothing is incomplete.
  [[nodiscard]] Time next_deadline() const noexcept;
  /// Datagrams that have a place: incomplete ones, and abandoned ones until their time is over.
  [[nodiscard]] size_t under_way() const noexcept { return count_; }

 private:
  struct Datagram;
  /// Looked through one by one: few enough, and without hash values that could be made to collide.
  struct Place {
    uint32_t identification;
    uint32_t index;  // of datagrams_
  };

  Drop add(const FragmentView& fragment, Time now, Packet& whole, DropCounters& drops) noexcept;
  [[nodiscard]] Datagram* find(const FragmentView& fragment) noexcept;
  [[nodiscard]] Datagram* begin(const FragmentView& fragment, Time now, DropCounters& drops) noexcept;
  void make_place(const Ip& source, DropCounters& drops) noexcept;
  void drop(size_t place, Drop reason, DropCounters& drops) noexcept;
  void remove(const Datagram& datagram) noexcept;

  Limits limits_;
  PacketPool pool_;  // before everything that holds packets
  std::unique_ptr<Datagram[]> datagrams_;
  std::vector<Place> places_;  // the first count_ are taken, the oldest first
  size_t count_ = 0;
};

}  // namespace adit
