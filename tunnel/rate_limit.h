// How many handshakes we are willing to answer: in all (LoadMeter) and, once under load, per source (RateLimiter) and
// with cookies (CookieLimit).  And how many inner packets that lead nowhere (ErrorLimit).
#pragma once

#include <algorithm>
#include <unordered_map>

#include "net/addr.h"
#include "net/time.h"

namespace adit::tunnel {

/// Whether we are under load (paper 5.3).  Handshake messages with a right mac1 fill a bucket that drains at the pace
/// we can afford (some 0.2 ms of X25519 each); once it is over half full we are under load, and stay so for a second
/// after it last was.
class LoadMeter {
 public:
  static constexpr Duration kCost = milliseconds(2);  // 500 a second: about a tenth of one core
  static constexpr Duration kBurst = 256 * kCost;
  static constexpr Duration kLinger = seconds(1);

  /// Counts one message and says whether it arrived under load.
  bool message_arrived(Time now) noexcept {
    empty_at_ = std::min(std::max(empty_at_, now) + kCost, now + kBurst);
    if (empty_at_ - now > kBurst / 2) under_load_until_ = now + kLinger;
    return is_under_load(now);
  }
  [[nodiscard]] bool is_under_load(Time now) const noexcept { return now < under_load_until_; }

 private:
  Time empty_at_{};  // when the bucket will have drained
  Time under_load_until_{};
};

/// A token bucket: so many a second, so many at once.
template <int64_t kPerSecond, int64_t kAtOnce>
class Limit {
 public:
  static constexpr Duration kCost = Duration(seconds(1)) / kPerSecond;
  static constexpr Duration kBurst = kAtOnce * kCost;

  [[nodiscard]] bool allow(Time now) noexcept {
    const Time full_at = std::max(full_at_, now) + kCost;
    if (full_at - now > kBurst) return false;
    full_at_ = full_at;
    return true;
  }

 private:
  Time full_at_{};  // when the whole burst will be there again
};

/// ICMP errors: a flood to nowhere must not become two.
using ErrorLimit = Limit<100, 100>;
/// Handshake messages without a cookie that are looked at under load.  Answering one takes some 10 microseconds, most
/// of it the kernel's: this many are a fifth of one core, and what a flood has beyond that costs only its reception.
using CookieLimit = Limit<20'000, 1'000>;

/// At most 20 handshakes a second from one source, 5 at once: an IPv4 address, or an IPv6 /64.
class RateLimiter {
 public:
  static constexpr Duration kCost = milliseconds(50);
  static constexpr Duration kBurst = 5 * kCost;
  static constexpr Duration kForgetAfter = seconds(1);
  static constexpr size_t kMaxSources = 65536;

  /// Takes one handshake from the source's allowance.  False when that is used up, or too many sources are known.
  [[nodiscard]] bool allow(const Ip& source, Time now);
  [[nodiscard]] size_t sources() const noexcept { return buckets_.size(); }

 private:
  struct Bucket {
    Duration tokens;
    Time last;
  };
  struct HashIp {
    size_t operator()(const Ip& ip) const noexcept { return hash_endpoint({ip}, seed); }
    uint64_t seed;
  };
  void forget_idle(Time now);

  static uint64_t fresh_seed() noexcept;
  std::unordered_map<Ip, Bucket, HashIp> buckets_{0, HashIp{fresh_seed()}};
  Time swept_{};
};

}  // namespace adit::tunnel
