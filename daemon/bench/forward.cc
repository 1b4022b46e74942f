// Forwarded games: how many round trips a gateway carries, and how long they take at half of that.

#include <cmath>
#include <optional>
#include <stdexcept>

#include "daemon/bench/bench.h"
#include "daemon/bench/machine.h"
#include "daemon/bench/progress.h"
#include "daemon/bench/round_trips.h"
#include "daemon/bench/traffic.h"
#include "daemon/lab/gateways.h"
#include "daemon/lab/waiting.h"
#include "daemon/lab/world.h"

namespace adit::bench {
namespace {

using lab::ip;

constexpr size_t kPlayers = 32;
constexpr size_t kPayload = 100;  // about a game's
constexpr int kClimbs = 3;
constexpr int kRounds = 5;
constexpr double kFirstRate = 500;  // round trips in a second, all players together
constexpr double kLastRate = 2e6;
constexpr int kHalvings = 2;                       // of the last step, which was too high
constexpr Duration kPatience = milliseconds(300);  // a later answer is of no use to a game
constexpr double kMostLost = 0.01;
constexpr double kKeptPace = 0.95;  // what we must have sent of what we wanted to

const Figure kRate = {"rate", "round trips, at most 1 % lost", "1/s", true};
const Figure kMedian = {"round_trip", "round trip at half of that, median", "µs"};
const Figure kP99 = {"round_trip_p99", "round trip at half of that, p99", "µs"};
const Figure kProcessorTime = {"processor_time", "gateway's processor time", "µs each"};
const char* const kName = "adit";

/// From two addresses, as many from each.
std::vector<UdpSocket> players() {
  std::vector<UdpSocket> all;
  const char* const addresses[] = {lab::kAnn, lab::kBob};
  for (size_t i = 0; i < kPlayers; ++i) {
    all.push_back(UdpSocket::bind({ip(addresses[i % std::size(addresses)]), 0}, kPlain));
  }
  return all;
}

class Bench {
 public:
  explicit Bench(Duration time) : time_(time) {
    lab::furnish(stage_);
    gateways_.emplace(stage_);
    gateways_->start_vps();
    gateways_->start_home(lab::HomeProgram::kAdit);
    gateways_->wait_for_handshake();
    stage_.enter(lab::kJail);
    echo_.emplace(Endpoint{ip(lab::kServer), lab::kGamePort});
    stage_.enter(lab::kPlayer);
    askers_.emplace(players(), Endpoint{ip(lab::kVpsToPlayersV4), lab::kGamePort}, kPayload);
    askers_->ask(kFirstRate, milliseconds(500), kPatience);  // flows open, nothing is cold
  }

  /// Doubles the rate from `rate` on until too much is lost, and halves the last step a few times.  Returns the highest
  /// rate that was carried.
  double climb(double rate) {
    double carried = 0;
    for (; rate <= kLastRate && is_carried(rate); rate *= 2) carried = rate;
    if (carried == 0 && rate > kFirstRate) return climb(kFirstRate);
    if (carried == 0) {
      throw std::runtime_error("bench forward: more than 1 % are lost at " + std::to_string(std::lround(rate)) + "/s");
    }
    double step = carried / 2;
    for (int i = 0; i < kHalvings; ++i, step /= 2) {
      if (is_carried(carried + step)) carried += step;
    }
    results_.add(kRate, kName, carried);
    return carried;
  }

  void measure_round_trips(double rate) {
    const Duration before = cost_of(gateways_->vps_id()).processor_time;
    const Answers answers = ask(rate);
    if (answers.round_trips.empty()) throw std::runtime_error("bench forward: no answers come");
    const Duration cost = cost_of(gateways_->vps_id()).processor_time - before;
    results_.add(kMedian, kName, quantile_us(answers.round_trips, 0.5));
    results_.add(kP99, kName, quantile_us(answers.round_trips, 0.99));
    results_.add(kProcessorTime, kName, to_seconds(cost) * 1e6 / static_cast<double>(answers.sent));
  }

  [[nodiscard]] const Results& results() const noexcept { return results_; }
  [[nodiscard]] const Json& steps() const noexcept { return steps_; }

 private:
  Answers ask(double rate) {
    Answers answers = askers_->ask(rate, time_, kPatience);
    gateways_->require_running();
    return answers;
  }

  /// Asked twice: what else runs on this machine may have been in the way.
  bool is_carried(double rate) { return try_step(rate) || try_step(rate); }

  /// When we are too slow to ask so often, that is the limit of what this machine carries, too.
  bool try_step(double rate) {
    print_progress(std::to_string(std::lround(rate)) + " round trips a second");
    const Answers answers = ask(rate);
    steps_.push_back({{"wanted_per_second", rate},
                      {"sent_per_second", answers.rate()},
                      {"sent", answers.sent},
                      {"back", answers.round_trips.size()}});
    return answers.loss() <= kMostLost && answers.rate() >= kKeptPace * rate;
  }

  Duration time_;
  lab::Stage stage_;
  std::optional<lab::Gateways> gateways_;
  std::optional<Echo> echo_;
  std::optional<Askers> askers_;
  Results results_{{kName}};
  Json steps_ = Json::array();
};

}  // namespace

Outcome bench_forward(seconds time) {
  Bench bench(time);
  double first = kFirstRate;
  std::vector<double> rates;
  for (int i = 0; i < kClimbs; ++i) {
    rates.push_back(bench.climb(first));
    first = std::max(kFirstRate, rates.back() / 4);
  }
  const double half = spread_of(rates).median / 2;
  for (int i = 0; i < kRounds; ++i) {
    print_progress("half of that, round " + std::to_string(i + 1) + " of " + std::to_string(kRounds));
    bench.measure_round_trips(half);
  }
  return {{{"players", kPlayers},
           {"payload", kPayload},
           {"seconds", time.count()},
           {"half_rate", half},
           {"figures", bench.results().json()},
           {"steps", bench.steps()}},
          bench.results().table(false)};
}

}  // namespace adit::bench
