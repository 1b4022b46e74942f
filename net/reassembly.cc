#include "net/reassembly.h"

#include <algorithm>

#include "net/checksum.h"
#include "net/ecn.h"
#include "net/ip.h"

namespace adit {
namespace {

constexpr size_t kLargestLength = 65535;  // that an IP header can say
constexpr size_t kLargestHeader = 60;     // IPv4 with options; larger than IPv6's
constexpr size_t kUnits = (kLargestLength + 1) / kFragmentUnit;
constexpr size_t kEndUnknown = SIZE_MAX;

/// Which units of a datagram have come, and at which of them a fragment began.
class FragmentMap {
 public:
  void clear() noexcept {
    come_.fill(0);
    begun_.fill(0);
  }
  [[nodiscard]] bool has_any(size_t first, size_t count) const noexcept {
    return !all_words(first, count, [this](size_t word, uint64_t mask) { return (come_[word] & mask) == 0; });
  }
  /// Whether one fragment brought all of these and no other unit.
  [[nodiscard]] bool is_one(size_t first, size_t count) const noexcept {
    const auto come = [this](size_t word, uint64_t mask) { return (come_[word] & mask) == mask; };
    const auto not_begun = [this](size_t word, uint64_t mask) { return (begun_[word] & mask) == 0; };
    const size_t behind = first + count;
    return is_set(begun_, first) && all_words(first, count, come) && all_words(first + 1, count - 1, not_begun) &&
           (behind == kUnits || !is_set(come_, behind) || is_set(begun_, behind));
  }
  void add(size_t first, size_t count) noexcept {
    begun_[first / 64] |= uint64_t{1} << first % 64;
    all_words(first, count, [this](size_t word, uint64_t mask) {
      come_[word] |= mask;
      return true;
    });
  }

 private:
  using Bits = std::array<uint64_t, kUnits / 64>;

  static bool is_set(const Bits& bits, size_t at) noexcept { return (bits[at / 64] >> at % 64 & 1) != 0; }

  template <typename Predicate>
  static bool all_words(size_t first, size_t count, Predicate holds) noexcept {
    while (count > 0) {
      const size_t in_word = std::min(count, 64 - first % 64);
      if (!holds(first / 64, ~uint64_t{0} >> (64 - in_word) << first % 64)) return false;
      first += in_word;
      count -= in_word;
    }
    return true;
  }

  Bits come_;
  Bits begun_;
};

/// What is wrong with a fragment, whatever the others are.
Drop flaw_of(const FragmentView& fragment) noexcept {
  const bool v4 = fragment.source.is_v4();
  const size_t size = fragment.payload.size();
  // RFC 791 3.1, 3.2: the receiver checks the header, and the whole datagram will have a checksum that fits in any
  // case.
  if (v4 && checksum_finish(checksum_add(0, fragment.header)) != 0) return Drop::kBadChecksum;
  if (size == 0) return Drop::kTinyFragment;
  if (fragment.more && size % kFragmentUnit != 0) return Drop::kBadFragment;
  if ((v4 ? fragment.header.size() : 0) + fragment.offset + size > kLargestLength) return Drop::kBadFragment;
  if (fragment.offset != 0) return Drop::kNone;
  const size_t headers = fragment.header.size() + (v4 ? 0 : kFragmentHeaderSize);
  return size < (kSmallestMtu - headers) / kFragmentUnit * kFragmentUnit ? Drop::kTinyFragment : Drop::kNone;
}

/// IPv6 alone has them: whole, but with a fragment header (RFC 6946).
bool is_atomic(const FragmentView& fragment) noexcept { return fragment.offset == 0 && !fragment.more; }

void remove_fragment_header(Packet& packet, const FragmentView& atomic) noexcept {
  const uint8_t protocol = atomic.protocol;
  const size_t payload = atomic.payload.size();
  packet.trim_to(kIpv6HeaderSize + kFragmentHeaderSize + payload);
  std::memmove(packet.data() + kFragmentHeaderSize, packet.data(), kIpv6HeaderSize);
  packet.pull_front(kFragmentHeaderSize);
  store_be16(packet.data() + 4, static_cast<uint16_t>(payload));
  packet.data()[6] = protocol;
}

/// RFC 3168 5.3: one mark marks the whole, unless a part of it cannot have been marked.  The bits of `seen` are
/// codepoints.
bool join_ecn(Bytes header, unsigned seen) noexcept {
  const auto has = [seen](Ecn ecn) { return (seen >> static_cast<unsigned>(ecn) & 1) != 0; };
  if (!has(Ecn::kCongestion)) return true;
  return !has(Ecn::kNotCapable) && adopt_outer_ecn(header, static_cast<uint8_t>(Ecn::kCongestion));
}

void set_whole(Bytes packet) noexcept {
  if (packet[0] >> 4 == 6) return store_be16(&packet[4], static_cast<uint16_t>(packet.size() - kIpv6HeaderSize));
  store_be16(&packet[2], static_cast<uint16_t>(packet.size()));
  store_be16(&packet[6], 0);
  set_ipv4_checksum(packet.first(size_t{packet[0] & 0x0fu} * 4));
}

}  // namespace

/// One that has a place.  An abandoned one has no room any more.
struct Reassembler::Datagram {
  Ip source;
  Ip destination;
  uint32_t identification;
  uint8_t protocol;
  Time deadline;
  Packet room;         // the header ends at kLargestHeader, where the payload begins
  size_t header_size;  // 0: the first fragment has not come
  size_t end;          // of the payload, or kEndUnknown
  size_t reached;      // the furthest end of a fragment
  size_t bytes;        // that have come
  uint32_t fragments;
  unsigned ecn_seen;
  FragmentMap map;

  /// Of IPv6 the identification is enough, and the first fragment's protocol is the datagram's (RFC 8200 4.5).
  [[nodiscard]] bool is_of(const FragmentView& fragment) const noexcept {
    return identification == fragment.identification && source == fragment.source &&
           destination == fragment.destination && (source.is_v6() || protocol == fragment.protocol);
  }
  void begin(const FragmentView& fragment, Packet packet, Time until) noexcept {
    source = fragment.source;
    destination = fragment.destination;
    identification = fragment.identification;
    protocol = fragment.protocol;
    deadline = until;
    room = std::move(packet);
    room.push_back(kLargestHeader + kLargestLength);
    end = kEndUnknown;
    header_size = reached = bytes = fragments = ecn_seen = 0;
    map.clear();
  }

  [[nodiscard]] bool is_abandoned() const noexcept { return !room; }
  [[nodiscard]] bool is_complete() const noexcept { return bytes == end; }
  [[nodiscard]] uint8_t* payload() noexcept { return room.data() + kLargestHeader; }

  /// Whether this fragment's end cannot be where it says, after what the others have said.
  [[nodiscard]] bool contradicts(const FragmentView& fragment) const noexcept {
    const size_t its_end = fragment.offset + fragment.payload.size();
    if (fragment.more) return end != kEndUnknown && its_end >= end;
    return reached > its_end || (end != kEndUnknown && end != its_end);
  }
  /// Of one that contradicts nobody.
  [[nodiscard]] bool is_repeated(const FragmentView& fragment) noexcept {
    const bool is_last = fragment.offset + fragment.payload.size() == end;
    return fragment.more != is_last && map.is_one(fragment.offset / kFragmentUnit, units_of(fragment)) &&
           std::memcmp(payload() + fragment.offset, fragment.payload.data(), fragment.payload.size()) == 0;
  }
  [[nodiscard]] bool overlaps(const FragmentView& fragment) const noexcept {
    return map.has_any(fragment.offset / kFragmentUnit, units_of(fragment));
  }

  void add(const FragmentView& fragment) noexcept {
    const size_t its_end = fragment.offset + fragment.payload.size();
    copy_bytes(fragment.payload, payload() + fragment.offset);
    map.add(fragment.offset / kFragmentUnit, units_of(fragment));
    ++fragments;
    bytes += fragment.payload.size();
    reached = std::max(reached, its_end);
    if (!fragment.more) end = its_end;
    ecn_seen |= 1u << ecn_of(fragment.header);
    if (fragment.offset == 0) set_header(fragment);
  }
  /// Why a complete one cannot become a packet.
  [[nodiscard]] Drop unfit() noexcept {
    if (source.is_v4() && header_size + end > kLargestLength) return Drop::kBadFragment;
    return join_ecn({payload() - header_size, header_size}, ecn_seen) ? Drop::kNone : Drop::kBadEcn;
  }
  /// The complete packet.
  [[nodiscard]] Packet release() noexcept {
    room.trim_to(kLargestHeader + end);
    room.pull_front(kLargestHeader - header_size);
    set_whole(room.bytes());
    return std::move(room);
  }
  /// Drops all that has come, and returns the reason.
  Drop abandon(Drop reason, DropCounters& drops) noexcept {
    drops.count(reason, fragments);
    fragments = 0;
    room = {};
    return reason;
  }

 private:
  static size_t units_of(const FragmentView& fragment) noexcept {
    return (fragment.payload.size() + kFragmentUnit - 1) / kFragmentUnit;
  }
  void set_header(const FragmentView& first) noexcept {
    header_size = first.header.size();
    uint8_t* const header = payload() - header_size;
    copy_bytes(first.header, header);
    if (first.source.is_v6()) header[6] = first.protocol;
  }
};

Reassembler::Reassembler(const Limits& limits)
    : limits_(limits),
      pool_(limits.datagrams + limits.whole, kLargestHeader + kLargestLength, PacketPool::Use::kShared),
      datagrams_(new Datagram[limits.datagrams]),
      places_(limits.datagrams) {
  for (uint32_t i = 0; i < places_.size(); ++i) places_[i].index = i;
}

Reassembler::~Reassembler() = default;

Taken Reassembler::take(Packet& packet, Time now, DropCounters& drops) noexcept {
  const std::optional<FragmentView> fragment = fragment_view(std::as_const(packet).bytes());
  if (!fragment) return Taken::kNotAFragment;
  if (is_atomic(*fragment)) {
    remove_fragment_header(packet, *fragment);
    return Taken::kWhole;
  }
  expire(now, drops);
  const Packet owner = std::move(packet);  // of the fragment's bytes, until all is done
  const Drop reason = add(*fragment, now, packet, drops);
  if (reason == Drop::kNone) return packet ? Taken::kWhole : Taken::kKept;
  drops.count(reason);
  return Taken::kDropped;
}

Drop Reassembler::add(const FragmentView& fragment, Time now, Packet& whole, DropCounters& drops) noexcept {
  const Drop flaw = flaw_of(fragment);
  if (flaw != Drop::kNone) return flaw;
  Datagram* datagram = find(fragment);
  if (datagram == nullptr) datagram = begin(fragment, now, drops);
  if (datagram == nullptr) return Drop::kNoBuffer;
  if (datagram->is_abandoned()) return Drop::kFragmentOverlap;
  if (datagram->contradicts(fragment)) return datagram->abandon(Drop::kBadFragment, drops);
  if (datagram->is_repeated(fragment)) return Drop::kFragmentOverlap;
  if (datagram->overlaps(fragment)) return datagram->abandon(Drop::kFragmentOverlap, drops);
  datagram->add(fragment);
  if (!datagram->is_complete()) return Drop::kNone;
  const Drop unfit = datagram->unfit();
  if (unfit != Drop::kNone) {
    --datagram->fragments;  // the one in hand is the caller's to count
    return datagram->abandon(unfit, drops);
  }
  whole = datagram->release();
  remove(*datagram);
  return Drop::kNone;
}

void Reassembler::expire(Time now, DropCounters& drops) noexcept {
  while (next_deadline() <= now) drop(0, Drop::kFragmentTimeout, drops);
}

Time Reassembler::next_deadline() const noexcept {
  return count_ == 0 ? kNever : datagrams_[places_.front().index].deadline;
}

Reassembler::Datagram* Reassembler::find(const FragmentView& fragment) noexcept {
  for (size_t i = 0; i < count_; ++i) {
    if (places_[i].identification != fragment.identification) continue;
    Datagram& datagram = datagrams_[places_[i].index];
    if (datagram.is_of(fragment)) return &datagram;
  }
  return nullptr;
}

Reassembler::Datagram* Reassembler::begin(const FragmentView& fragment, Time now, DropCounters& drops) noexcept {
  make_place(fragment.source, drops);
  Packet room = pool_.take();
  if (!room) return nullptr;
  Place& place = places_[count_++];
  place.identification = fragment.identification;
  Datagram& datagram = datagrams_[place.index];
  datagram.begin(fragment, std::move(room), now + kTimeout);
  return &datagram;
}

void Reassembler::make_place(const Ip& source, DropCounters& drops) noexcept {
  size_t of_source = 0;
  size_t its_oldest = 0;
  for (size_t i = count_; i-- > 0;) {
    if (datagrams_[places_[i].index].source != source) continue;
    ++of_source;
    its_oldest = i;
  }
  if (of_source >= limits_.per_source) return drop(its_oldest, Drop::kFragmentsFull, drops);
  if (count_ == places_.size()) drop(0, Drop::kFragmentsFull, drops);
}

void Reassembler::drop(size_t place, Drop reason, DropCounters& drops) noexcept {
  Datagram& datagram = datagrams_[places_[place].index];
  static_cast<void>(datagram.abandon(reason, drops));
  remove(datagram);
}

void Reassembler::remove(const Datagram& datagram) noexcept {
  const auto index = static_cast<uint32_t>(&datagram - datagrams_.get());
  const auto taken_end = places_.begin() + static_cast<ptrdiff_t>(count_--);
  const auto place = std::ranges::find(places_, index, &Place::index);
  std::rotate(place, place + 1, taken_end);
}

}  // namespace adit
