// A whole tunnel, with new processes for each measurement.

#include <algorithm>
#include <filesystem>
#include <stdexcept>

#include "daemon/bench/bench.h"
#include "daemon/bench/progress.h"
#include "daemon/bench/round_trips.h"
#include "daemon/bench/session.h"
#include "daemon/bench/traffic.h"
#include "daemon/lab/waiting.h"
#include "daemon/lab/world.h"
#include "net/clock.h"

namespace adit::bench {
namespace {

constexpr Duration kWarmUp = milliseconds(300);  // TCP has found its speed
constexpr size_t kSmall = 64;
constexpr double kPingsPerSecond = 500;
constexpr Duration kPatience = seconds(1);
constexpr uint16_t kEchoPort = 7;
constexpr double kMib = 1 << 20;
constexpr double kGib = 1 << 30;

const Figure kTcp = {"tcp", "TCP, 1 flow", "Gbit/s", true};
const Figure kProcessorTime = {"tcp_processor_time", "  processor time of the tunnel", "s/GiB"};
const Figure kResident = {"tcp_resident", "  memory of both ends", "MiB"};
const Figure kUdp = {"udp64", "UDP, 64 bytes, delivered", "1000/s", true};
const Figure kPing = {"round_trip", "round trip, idle, median", "µs"};
const Figure kPingP99 = {"round_trip_p99", "round trip, idle, p99", "µs"};
const Figure kLoaded = {"loaded_round_trip", "round trip beside TCP, median", "µs"};
const Figure kLoadedP99 = {"loaded_round_trip_p99", "round trip beside TCP, p99", "µs"};

struct Contestant {
  std::string name;
  std::string program;
};

std::vector<Contestant> contestants_of(const std::string& against) {
  std::vector<Contestant> all = {{"adit", lab::own_program()}};
  if (against.empty()) return all;
  const std::string name = std::filesystem::path(against).filename();
  all.push_back({name == "adit" ? "other adit" : name, against});
  return all;
}

/// What flows in `time`, and how long that was, once it flows.
template <typename Flow>
std::pair<double, double> flowed(const Flow& flow, Duration time) {
  const Time start = read_clock().mono;
  const uint64_t before = flow.received();
  lab::wait_until(start + time);
  const uint64_t after = flow.received();
  if (after == before) throw std::runtime_error("bench tunnel: nothing comes through the tunnel");
  return {static_cast<double>(after - before), to_seconds(read_clock().mono - start)};
}

class Bench {
 public:
  Bench(const TunnelOptions& options, const std::vector<std::string>& names) : time_(options.time), results_(names) {
    furnish_two(stage_);
  }

  /// Each contestant after the other; who is first changes.
  void measure_round(std::vector<Contestant> contestants, unsigned round) {
    if (round % 2 == 1) std::ranges::reverse(contestants);
    for (const auto measure : {&Bench::tcp, &Bench::udp, &Bench::ping, &Bench::ping_under_load}) {
      for (const Contestant& each : contestants) {
        name_ = each.name;
        Session session(stage_, each.program);
        (this->*measure)(session);
        session.require_running();
      }
    }
  }

  [[nodiscard]] const Results& results() const noexcept { return results_; }

 private:
  void add(const Figure& figure, double value) { results_.add(figure, name_, value); }

  void tcp(Session& session) {
    const TcpFlow flow(course());
    lab::wait_until(read_clock().mono + kWarmUp);
    const Duration before = session.cost().processor_time;
    const auto [bytes, seconds] = flowed(flow, time_);
    const ProcessCost after = session.cost();
    add(kTcp, bytes * 8 / seconds / 1e9);
    add(kProcessorTime, to_seconds(after.processor_time - before) / (bytes / kGib));
    add(kResident, static_cast<double>(after.resident_bytes) / kMib);
  }

  void udp(Session&) {
    const UdpFlood flood(course(), kSmall);
    lab::wait_until(read_clock().mono + kWarmUp);
    const auto [datagrams, seconds] = flowed(flood, time_);
    add(kUdp, datagrams / seconds / 1000);
  }

  void ping(Session&) { ask(kPing, kPingP99); }

  void ping_under_load(Session&) {
    const TcpFlow flow(course());
    lab::wait_until(read_clock().mono + kWarmUp);
    ask(kLoaded, kLoadedP99);
    static_cast<void>(flow.received());  // it is worth nothing if the load has gone
  }

  void ask(const Figure& median, const Figure& p99) {
    stage_.enter(kFar);
    const Endpoint service{lab::ip(kFarInTunnel), kEchoPort};
    const Echo echo(service);
    stage_.enter(kNear);
    std::vector<UdpSocket> sockets;
    sockets.push_back(UdpSocket::bind({lab::ip("0.0.0.0"), 0}, kPlain));
    Askers askers(std::move(sockets), service, kSmall);
    const Answers answers = askers.ask(kPingsPerSecond, time_, kPatience);
    if (answers.round_trips.empty()) throw std::runtime_error("bench tunnel: no answer comes through the tunnel");
    add(median, quantile_us(answers.round_trips, 0.5));
    add(p99, quantile_us(answers.round_trips, 0.99));
  }

  Course course() { return {stage_, kNear, kFar, lab::ip(kFarInTunnel)}; }

  Duration time_;
  lab::Stage stage_;
  Results results_;
  std::string name_;  // whom we are measuring
};

}  // namespace

Outcome bench_tunnel(const TunnelOptions& options) {
  if (!options.against.empty() && !lab::is_installed(options.against)) {
    throw std::runtime_error("bench tunnel: --against " + options.against + ": there is no such program");
  }
  const std::vector<Contestant> contestants = contestants_of(options.against);
  std::vector<std::string> names(contestants.size());
  std::ranges::transform(contestants, names.begin(), &Contestant::name);
  Bench bench(options, names);
  for (unsigned round = 0; round < options.rounds; ++round) {
    print_progress("round " + std::to_string(round + 1) + " of " + std::to_string(options.rounds));
    bench.measure_round(contestants, round);
  }
  return {{{"rounds", options.rounds}, {"seconds", options.time.count()}, {"figures", bench.results().json()}},
          bench.results().table(true)};
}

}  // namespace adit::bench
