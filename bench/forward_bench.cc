// A datagram's way through the forwarder: from a client to the service and back.

#include <benchmark/benchmark.h>

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

void there_and_back(benchmark::State& state) {
  const auto flows = static_cast<uint32_t>(state.range(0));
  Settings settings;
  settings.our_v4 = kOurs;
  settings.first_snat_port = 1024;
  settings.rules.push_back(
      {.name = "bench", .listeners = {{{}, kService}}, .from = {}, .max_flows = flows, .max_flows_per_source = flows});
  Forwarder forwarder(std::move(settings));
  PacketPool pool(16, 1600);
  uint32_t turn = 0;
  for (auto _ : state) {
    Packet packet = pool.take();
    packet.push_back(120);
    const PublicSide from{0, client(turn++ % flows), {}};
    PublicSide to;
    benchmark::DoNotOptimize(forwarder.from_public(from, packet, Time(seconds(1000))));
    answer(packet);
    benchmark::DoNotOptimize(forwarder.from_tunnel(packet, Time(seconds(1000)), to));
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
BENCHMARK(there_and_back)->ArgName("flows")->Arg(1)->Arg(100)->Arg(30'000);

}  // namespace
}  // namespace adit::forward
