#include "tunnel/rate_limit.h"

#include "crypto/random.h"

namespace adit::tunnel {

uint64_t RateLimiter::fresh_seed() noexcept { return crypto::random_u64(); }

bool RateLimiter::allow(const Ip& source, Time now) {
  forget_idle(now);
  const Ip key = source.is_v4() ? source : Prefix::of(source, 64).ip;
  auto found = buckets_.find(key);
  if (found == buckets_.end()) {
    if (buckets_.size() >= kMaxSources) return false;
    found = buckets_.emplace(key, Bucket{kBurst, now}).first;
  }
  Bucket& bucket = found->second;
  bucket.tokens = std::min(kBurst, bucket.tokens + (now - bucket.last));
  bucket.last = now;
  if (bucket.tokens < kCost) return false;
  bucket.tokens -= kCost;
  return true;
}

void RateLimiter::forget_idle(Time now) {
  if (now - swept_ < kForgetAfter) return;
  swept_ = now;
  std::erase_if(buckets_, [now](const auto& entry) { return now - entry.second.last > kForgetAfter; });
}

}  // namespace adit::tunnel
