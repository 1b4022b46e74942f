// How fast each client address opens flows.
#pragma once

#include <cstdint>

#include "forward/slab.h"
#include "forward/source_counts.h"
#include "net/time.h"

namespace adit::forward {

/// A token bucket for each source of each rule, in a fixed amount of memory.
///
/// A bucket is kept as the moment at which it will be full again, and one that is full needs no memory.  A source is
/// looked for in a set of eight places.  Where it is not among them it takes the place that will be full first, and
/// takes over what that one is missing (as Space-Saving counters do: Metwally, Agrawal, El Abbadi 2005).  So
///  - no source ever opens more than its rule allows: who was forgotten comes back with no more than it had left, for
///    its place was given away only when no other of the eight had more.  A million other sources change nothing.
///  - what the bound costs falls on newcomers: while more sources than there is room for are missing something, one may
///    be refused although it has opened nothing.  All together they then still open kPlaces / (1 s / cost) flows a
///    second, and a place is free a second after it was last used.
class SourceRates {
 public:
  static constexpr size_t kPlaces = 65'536;  // 1 MiB, touched as sources come
  static constexpr Duration kBurst = seconds(1);

  /// `seed` as in FlowTable.
  explicit SourceRates(uint64_t seed) : seed_(seed), places_(kPlaces) {}

  /// Whether the client's source may open one more flow at `now`, and if so, counts it.  `cost` is a second divided by
  /// the flows it may open in one.
  [[nodiscard]] bool allow(RuleId rule, const Ip& client, Duration cost, Time now) noexcept;

 private:
  static constexpr size_t kSetSize = 8;
  struct Place {
    uint64_t source;  // a keyed hash: two that have the same, one in 2^64, share a bucket
    Time full_at;
  };
  static_assert(sizeof(Place) * kSetSize == 128, "a set is two cache lines");

  uint64_t seed_;
  ZeroedArray<Place> places_;
};

}  // namespace adit::forward
