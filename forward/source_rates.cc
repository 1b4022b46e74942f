#include "forward/source_rates.h"

#include <algorithm>
#include <span>

namespace adit::forward {

bool SourceRates::allow(RuleId rule, const Ip& client, Duration cost, Time now) noexcept {
  const uint64_t source = hash_endpoint({.ip = source_prefix(client), .port = 0, .scope = rule}, seed_);
  const std::span<Place> set(&places_[source % (kPlaces / kSetSize) * kSetSize], kSetSize);
  auto place = std::ranges::find(set, source, &Place::source);
  if (place == set.end()) place = std::ranges::min_element(set, {}, &Place::full_at);
  const Time full_at = std::max(place->full_at, now) + cost;
  if (full_at - now > kBurst) return false;
  *place = {source, full_at};
  return true;
}

}  // namespace adit::forward
