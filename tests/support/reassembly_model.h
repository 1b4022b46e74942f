// What a Reassembler does, in the plainest way: every rule looks at all fragments of a datagram, one by one.
#pragma once

#include <algorithm>
#include <optional>
#include <vector>

#include "net/ip.h"
#include "net/reassembly.h"
#include "tests/support/fragments.h"

namespace adit::test {

class ReassemblyModel {
 public:
  explicit ReassemblyModel(const Reassembler::Limits& limits) : limits_(limits) {}

  Taken take(const ByteVector& packet, Time now) {
    const std::optional<Fragment> fragment = parse(packet);
    if (!fragment) return Taken::kNotAFragment;
    whole = {};
    if (fragment->offset == 0 && !fragment->more) return give({&*fragment}, false);
    expire(now);
    const Drop drop = keep(*fragment, now);
    if (drop == Drop::kNone) return whole.empty() ? Taken::kKept : Taken::kWhole;
    drops.count(drop);
    return Taken::kDropped;
  }

  void expire(Time now) {
    while (!datagrams_.empty() && datagrams_[0].until <= now) forget(0, Drop::kFragmentTimeout);
  }
  [[nodiscard]] Time next_deadline() const { return datagrams_.empty() ? kNever : datagrams_[0].until; }
  [[nodiscard]] size_t under_way() const { return datagrams_.size(); }

  ByteVector whole;  // the last one
  DropCounters drops;

 private:
  struct Fragment {
    ByteVector header;
    ByteVector payload;
    Ip source, destination;
    uint32_t identification = 0;
    unsigned protocol = 0;
    size_t offset = 0;
    bool more = false;
    [[nodiscard]] size_t end() const { return offset + payload.size(); }
  };
  struct Datagram {
    Time until;
    bool abandoned = false;
    std::vector<Fragment> fragments;
    Fragment first_come;
  };

  static std::optional<Fragment> parse(const ByteVector& packet) {
    const auto length = ip_length(packet);
    const auto source = source_of(packet);
    const auto destination = destination_of(packet);
    if (!length || !source || !destination) return {};
    Fragment fragment;
    fragment.source = *source;
    fragment.destination = *destination;
    const bool v4 = packet[0] >> 4 == 4;
    const size_t header = v4 ? (packet[0] & 15u) * 4 : 40u;
    const size_t payload = v4 ? header : 48;
    if (header < 20 || payload > *length) return {};
    const unsigned field = load_be16(&packet[v4 ? 6 : 42]);
    if (v4 ? (field & 0x3fff) == 0 : packet[6] != 44) return {};
    fragment.offset = v4 ? (field & 0x1fff) * 8 : field & 0xfff8;
    fragment.more = (field & (v4 ? 0x2000 : 1)) != 0;
    fragment.identification = v4 ? load_be16(&packet[4]) : load_be32(&packet[44]);
    fragment.protocol = packet[v4 ? 9 : 40];
    fragment.header = part_of(packet, 0, header);
    fragment.payload = part_of(packet, payload, *length - payload);
    return fragment;
  }

  Drop keep(const Fragment& fragment, Time now) {
    const bool v4 = fragment.source.is_v4();
    if (v4 && checksum_finish(checksum_add(0, fragment.header)) != 0) return Drop::kBadChecksum;
    if (fragment.payload.empty()) return Drop::kTinyFragment;
    if (fragment.more && fragment.payload.size() % 8 != 0) return Drop::kBadFragment;
    if (fragment.end() + (v4 ? fragment.header.size() : 0) > 65535) return Drop::kBadFragment;
    const size_t headers = fragment.header.size() + (v4 ? 0 : 8);
    // Another unit, and it would still have fitted into 68 bytes.
    if (fragment.offset == 0 && headers + fragment.payload.size() + 8 <= 68) return Drop::kTinyFragment;

    size_t at = find(fragment);
    if (at == datagrams_.size()) {
      make_place(fragment);
      at = datagrams_.size();
      datagrams_.push_back({now + seconds(15), false, {}, fragment});
    }
    Datagram& datagram = datagrams_[at];
    const Drop drop = datagram.abandoned ? Drop::kFragmentOverlap : fault(datagram.fragments, fragment);
    const bool repeated = !datagram.abandoned && is_repeated(datagram.fragments, fragment);
    if (drop != Drop::kNone && !datagram.abandoned && !repeated) abandon(datagram, drop);
    if (drop != Drop::kNone) return drop;
    datagram.fragments.push_back(fragment);
    return finish(at);
  }

  static bool is_repeated(const std::vector<Fragment>& others, const Fragment& fragment) {
    return std::ranges::any_of(others, [&](const Fragment& other) {
      return other.offset == fragment.offset && other.payload == fragment.payload && other.more == fragment.more;
    });
  }
  static Drop fault(const std::vector<Fragment>& others, const Fragment& fragment) {
    for (const Fragment& other : others) {
      if (!other.more && fragment.more && fragment.end() >= other.end()) return Drop::kBadFragment;
      if (!other.more && !fragment.more && fragment.end() != other.end()) return Drop::kBadFragment;
      if (!fragment.more && other.end() > fragment.end()) return Drop::kBadFragment;
    }
    for (const Fragment& other : others) {
      if (other.offset < fragment.end() && fragment.offset < other.end()) return Drop::kFragmentOverlap;
    }
    return Drop::kNone;
  }

  Drop finish(size_t at) {
    Datagram& datagram = datagrams_[at];
    std::vector<const Fragment*> sorted;
    for (const Fragment& each : datagram.fragments) sorted.push_back(&each);
    std::ranges::sort(sorted, {}, &Fragment::offset);
    size_t end = 0;
    for (const Fragment* each : sorted) {
      if (each->offset != end) return Drop::kNone;
      end = each->end();
    }
    if (sorted.back()->more) return Drop::kNone;
    const bool v4 = sorted[0]->source.is_v4();
    Drop drop = Drop::kNone;
    if (v4 && sorted[0]->header.size() + end > 65535) drop = Drop::kBadFragment;
    const auto has = [&](unsigned ecn) {
      return std::ranges::any_of(sorted,
                                 [&](const Fragment* each) { return (each->header[1] >> (v4 ? 0 : 4) & 3u) == ecn; });
    };
    if (drop == Drop::kNone && has(3) && has(0)) drop = Drop::kBadEcn;
    if (drop != Drop::kNone) {
      datagram.fragments.pop_back();
      abandon(datagram, drop);
      return drop;
    }
    give(sorted, has(3));
    datagrams_.erase(datagrams_.begin() + static_cast<ptrdiff_t>(at));
    return Drop::kNone;
  }

  Taken give(const std::vector<const Fragment*>& sorted, bool is_marked) {
    const Fragment& first = *sorted[0];
    whole = first.header;
    for (const Fragment* each : sorted) whole.insert(whole.end(), each->payload.begin(), each->payload.end());
    if (first.source.is_v6()) {
      if (is_marked) whole[1] |= 0x30;
      store_be16(&whole[4], static_cast<uint16_t>(whole.size() - 40));
      whole[6] = static_cast<uint8_t>(first.protocol);
      return Taken::kWhole;
    }
    if (is_marked) whole[1] |= 3;
    store_be16(&whole[2], static_cast<uint16_t>(whole.size()));
    whole[6] = whole[7] = whole[10] = whole[11] = 0;
    store_be16(&whole[10], checksum_finish(checksum_add(0, ConstBytes(whole).first(first.header.size()))));
    return Taken::kWhole;
  }

  size_t find(const Fragment& fragment) const {
    const auto found = std::ranges::find_if(datagrams_, [&](const Datagram& each) {
      const Fragment& its = each.first_come;
      return its.source == fragment.source && its.destination == fragment.destination &&
             its.identification == fragment.identification && (its.source.is_v6() || its.protocol == fragment.protocol);
    });
    return static_cast<size_t>(found - datagrams_.begin());
  }
  void make_place(const Fragment& fragment) {
    const auto is_its = [&](const Datagram& each) { return each.first_come.source == fragment.source; };
    if (static_cast<size_t>(std::ranges::count_if(datagrams_, is_its)) == limits_.per_source) {
      return forget(static_cast<size_t>(std::ranges::find_if(datagrams_, is_its) - datagrams_.begin()),
                    Drop::kFragmentsFull);
    }
    if (datagrams_.size() == limits_.datagrams) forget(0, Drop::kFragmentsFull);
  }
  void forget(size_t at, Drop reason) {
    drops.count(reason, datagrams_[at].fragments.size());
    datagrams_.erase(datagrams_.begin() + static_cast<ptrdiff_t>(at));
  }
  void abandon(Datagram& datagram, Drop reason) {
    drops.count(reason, datagram.fragments.size());
    datagram.fragments.clear();
    datagram.abandoned = true;
  }

  Reassembler::Limits limits_;
  std::vector<Datagram> datagrams_;  // the oldest first
};

}  // namespace adit::test
