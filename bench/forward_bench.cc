// A datagram's way through the forwarder: from a client to the service and back.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>
#include <random>
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

/// `flows` flows through as many services as their SNAT ports take, established, in random batches.  Random clients as
/// a game server's: none of what a packet needs was used by the one before, and none of it is beside it.
class ManyFlows {
 public:
  struct Batch {
    ListenerId listener;
    std::vector<Endpoint> clients;
  };

  ManyFlows(uint32_t flows, Source source) : forwarder_(settings_for(flows, source)) {
    std::vector<uint32_t> numbers(flows);
    std::iota(numbers.begin(), numbers.end(), 0);
    for (int pass = 0; pass < 2; ++pass) {  // the second in another order than that of the table
      std::ranges::shuffle(numbers, random_);
      arrange(numbers);
      for (const Batch& batch : batches_) there_and_back(batch);
    }
  }

  /// How many packets went each way.
  size_t there_and_back(const Batch& batch) {
    now_ += milliseconds(1);
    datagrams_.clear();
    inner_.clear();
    for (const Endpoint& client : batch.clients) {
      datagrams_.push_back({pool_.take(), client, {}});
      datagrams_.back().packet.push_back(120);
    }
    forwarder_.from_public(batch.listener, datagrams_, now_, pool_, inner_);
    for (Packet& packet : inner_) answer(packet);
    forwarder_.from_tunnel(inner_, now_, released_);
    const auto arrived =
        std::ranges::count_if(released_, [](const Released& each) { return each.what == Release::kToPublic; });
    if (static_cast<size_t>(arrived) != batch.clients.size()) std::abort();
    return batch.clients.size();
  }
  [[nodiscard]] const std::vector<Batch>& batches() const noexcept { return batches_; }

 private:
  static constexpr uint32_t kFlowsPerService = 16'000;

  void arrange(const std::vector<uint32_t>& numbers) {
    batches_.clear();
    std::vector<Batch> filling;
    for (uint32_t i = 0; i * kFlowsPerService < numbers.size(); ++i) filling.push_back({i, {}});
    const auto put = [this](Batch& batch) {
      if (!batch.clients.empty()) batches_.push_back(batch);
      batch.clients.clear();
    };
    for (const uint32_t number : numbers) {
      Batch& batch = filling[number / kFlowsPerService];
      batch.clients.push_back(client(number));
      if (batch.clients.size() == kBatchSize) put(batch);
    }
    for (Batch& batch : filling) put(batch);
  }

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
  std::mt19937 random_{1};
  std::vector<Batch> batches_;
  Datagrams datagrams_;
  PacketBatch inner_;
  std::vector<Released> released_;
  Time now_{seconds(1000)};
};

/// Per packet and direction: one there and one back are two.
void many_flows(benchmark::State& state) {
  ManyFlows flows(static_cast<uint32_t>(state.range(0)), state.range(1) == 0 ? Source::kSnat : Source::kKeep);
  int64_t packets = 0;
  size_t turn = 0;
  for (auto _ : state) {
    const ManyFlows::Batch& batch = flows.batches()[turn];
    if (++turn == flows.batches().size()) turn = 0;
    // Who comes next is in a socket's answer, not in a list that is longer than the caches.
    for (const Endpoint& client : flows.batches()[turn].clients) __builtin_prefetch(&client);
    packets += static_cast<int64_t>(2 * flows.there_and_back(batch));
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
BENCHMARK(many_flows)->ArgNames({"flows", "keep"})->ArgsProduct({{100, 100'000}, {0, 1}});
BENCHMARK(flood)->ArgName("rate")->Arg(0)->Arg(10);

}  // namespace
}  // namespace adit::forward
