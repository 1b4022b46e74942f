// A datagram's way through the forwarder: from a client to the service and back.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <span>
#include <vector>

#include "forward/flow_table.h"
#include "forward/forwarder.h"
#include "net/ip.h"

namespace adit::forward {
namespace {

const Endpoint kService = *Endpoint::parse("10.1.2.2:34197");
const Ip kOurs = *Ip::parse("10.1.2.5");

Endpoint client(uint32_t number) {
  return {Ip::v4(0xcb007100 + number / 50000), static_cast<uint16_t>(number % 50000 + 1)};
}

/// The service's answer to an inner packet: sides swapped.
void answer(Packet& packet) {
  const UdpView view = *udp_view(packet.bytes());
  const Endpoint source = view.source;
  const Endpoint destination = view.destination;
  packet.pull_front(udp_overhead(true));
  push_udp(packet, destination, source);
}

/// `flows` flows through as many services as their SNAT ports take, in random order and batches, established.  Random
/// clients as a game server's: none of what a packet needs was used by the one before.
class ManyFlows {
 public:
  ManyFlows(uint32_t flows, Source source) : forwarder_(settings_for(flows, source)) {
    for (uint32_t i = 0; i < flows; ++i) sides_.push_back({i / kFlowsPerService, client(i), {}});
    std::ranges::shuffle(sides_, std::mt19937(1));
    for (size_t i = 0; i < sides_.size(); i += kBatchSize) there_and_back(true, i);
    for (size_t i = 0; i < sides_.size(); i += kBatchSize) there_and_back(true, i);
  }

  /// The batch that begins with one of the flows; how many packets went each way.
  size_t there_and_back(bool looks_ahead, size_t first) {
    now_ += milliseconds(1);
    const auto batch = std::span<const PublicSide>(sides_).subspan(first, std::min(kBatchSize, sides_.size() - first));
    packets_.clear();
    inner_.clear();
    for (size_t i = 0; i < batch.size(); ++i) packets_.push_back(pool_.take()), packets_.back().push_back(120);
    if (looks_ahead) forwarder_.look_ahead(batch);
    size_t lost = 0;
    for (size_t i = 0; i < batch.size(); ++i)
      lost += forwarder_.from_public(batch[i], std::move(packets_[i]), now_, pool_, inner_) != Drop::kNone;
    for (Packet& packet : inner_) answer(packet);
    if (looks_ahead) forwarder_.look_ahead(inner_);
    PublicSide to;
    for (Packet& packet : inner_) lost += forwarder_.from_tunnel(packet, now_, to) != Release::kToPublic;
    if (lost > 0) std::abort();
    return batch.size();
  }
  [[nodiscard]] size_t size() const noexcept { return sides_.size(); }

 private:
  static constexpr uint32_t kFlowsPerService = 16'000;

  static Settings settings_for(uint32_t flows, Source source) {
    Settings settings;
    settings.our_v4 = kOurs;
    Rule rule{.name = "bench", .listeners = {}, .from = {}};
    rule.source = source;
    rule.max_flows = rule.max_flows_per_source = flows;
    for (uint32_t i = 0; i * kFlowsPerService < flows; ++i) {
      rule.listeners.push_back({{}, {kService.ip, static_cast<uint16_t>(kService.port + i)}});
    }
    settings.rules.push_back(std::move(rule));
    settings.seed = 0x9b2f7a6c55e1d043;
    return settings;
  }

  Forwarder forwarder_;
  PacketPool pool_{kBatchSize, 1600};
  PacketBatch packets_, inner_;
  std::vector<PublicSide> sides_;
  Time now_{seconds(1000)};
};

/// Per packet and direction: one there and one back are two.
void many_flows(benchmark::State& state) {
  ManyFlows flows(static_cast<uint32_t>(state.range(0)), state.range(1) == 0 ? Source::kSnat : Source::kKeep);
  int64_t packets = 0;
  size_t next = 0;
  for (auto _ : state) {
    const size_t count = flows.there_and_back(state.range(2) != 0, next);
    packets += static_cast<int64_t>(2 * count);
    next = next + count >= flows.size() ? 0 : next + count;
  }
  state.SetItemsProcessed(packets);
  state.counters["per_packet"] =
      benchmark::Counter(static_cast<double>(packets), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// A spoofed flood against a full table: each datagram opens a flow and pushes another one out.
void flood(benchmark::State& state) {
  Settings settings;
  settings.our_v4 = kOurs;
  settings.rules.push_back({.name = "bench", .listeners = {{{}, kService}}, .from = {}});
  settings.rules[0].max_new_flows_per_source = static_cast<uint32_t>(state.range(0));
  Forwarder forwarder(std::move(settings));
  PacketPool pool(2, 1600);
  PacketBatch inner;
  uint32_t turn = 0;
  Time now{seconds(1000)};
  for (auto _ : state) {
    Packet packet = pool.take();
    packet.push_back(120);
    now += nanoseconds(1000);
    const PublicSide from{0, {Ip::v4(turn++ * 2'654'435'761u), 1}, {}};
    inner.clear();
    benchmark::DoNotOptimize(forwarder.from_public(from, std::move(packet), now, pool, inner));
  }
  state.SetItemsProcessed(state.iterations());
}

/// A flow opened, found from both sides and closed, among others.
void flow_table(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(0));
  FlowTable table(1, flows + 1, 7);
  const auto tunnel_side = [](uint32_t number) {
    return TunnelSide{{kOurs, static_cast<uint16_t>(number % 30'000 + 1)}, {Ip::v4(0x0a000000 + number / 30'000), 80}};
  };
  for (uint32_t i = 1; i <= flows; ++i) table.open({0, client(i), {}}, tunnel_side(i), 0, 0, Time(seconds(1)));
  uint32_t turn = 0;
  for (auto _ : state) {
    const FlowIndex fresh = table.open({0, client(0), {}}, tunnel_side(0), 0, 0, Time(seconds(1)));
    const uint32_t other = turn++ * 7919 % flows + 1;
    const FlowIndex found = table.find(PublicSide{0, client(other), {}});
    if (found == kNoFlow || table.find(tunnel_side(other)) != found) return state.SkipWithError("lost");
    table.refresh(found, Time(seconds(1)));
    table.close(fresh);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(flow_table)->ArgName("flows")->Arg(1)->Arg(1'000)->Arg(100'000);
BENCHMARK(many_flows)->ArgNames({"flows", "keep", "ahead"})->ArgsProduct({{100, 100'000}, {0, 1}, {0, 1}});
BENCHMARK(flood)->ArgName("rate")->Arg(0)->Arg(10);

}  // namespace
}  // namespace adit::forward
