// A packet's way through the tunnel without I/O, and handshakes.

#include <benchmark/benchmark.h>

#include <algorithm>
#include <vector>

#include "crypto/random.h"
#include "tunnel/tunnel.h"

namespace adit::tunnel {
namespace {

const Ip kInnerA = *Ip::parse("10.0.0.1");
const Ip kInnerB = *Ip::parse("10.0.0.2");
const Endpoint kOuterA = *Endpoint::parse("192.0.2.1:51820");
const Endpoint kOuterB = *Endpoint::parse("198.51.100.2:51820");

/// Two tunnels that know each other; time stands still.
struct Pair {
  Pair() {
    a.add_peer({Identity(key_b).public_key, {}, kOuterB, {Prefix::of(kInnerB, 32)}}, now);
    b.add_peer({Identity(key_a).public_key, {}, kOuterA, {Prefix::of(kInnerA, 32)}}, now);
  }

  /// More peers at both ends, with three prefixes each, that have nothing to do with the traffic.
  void add_bystanders(uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
      PeerSettings settings;
      crypto::random_bytes(settings.public_key.bytes);
      settings.allowed_ips = {Prefix::of(Ip::v4(0x0b000000 + i), 32), Prefix::of(Ip::v4(0x0c000000 + (i << 8)), 24),
                              Prefix::of(Ip::v4(0xac100000 + i), 32)};
      a.add_peer(settings, now);
      b.add_peer(settings, now);
    }
  }

  /// A batch of packets from a to b, all the way; also answers what b answers.
  void send(size_t count, size_t size) {
    for (size_t i = 0; i < count; ++i) {
      Packet packet = pool.take();
      const Bytes bytes = packet.push_back(size);
      bytes[0] = 0x45;
      store_be16(&bytes[2], static_cast<uint16_t>(size));
      std::ranges::copy(kInnerA.bytes(), &bytes[12]);
      std::ranges::copy(kInnerB.bytes(), &bytes[16]);
      inner.push_back(std::move(packet));
    }
    a.encapsulate(inner, now, to_b, unreachable);
    while (!to_b.empty() || !to_a.empty()) {
      for (Datagram& datagram : to_b) datagram.remote = kOuterA;
      b.decapsulate(to_b, now, inner, to_a);
      for (Datagram& datagram : to_a) datagram.remote = kOuterB;
      a.decapsulate(to_a, now, inner, to_b);
    }
    inner.clear();
  }

  Now now{Time(seconds(1000)), WallTime(seconds(1'700'000'000))};
  PacketPool pool{1024, 1600};
  crypto::PrivateKey key_a = crypto::generate_private_key();
  crypto::PrivateKey key_b = crypto::generate_private_key();
  Tunnel a{key_a, 1420, pool};
  Tunnel b{key_b, 1420, pool};
  PacketBatch inner;
  PacketBatch unreachable;
  Datagrams to_a, to_b;
};

void through_the_tunnel(benchmark::State& state) {
  Pair pair;
  pair.send(1, 100);
  const auto size = static_cast<size_t>(state.range(0));
  const auto batch = static_cast<size_t>(state.range(1));
  for (auto _ : state) pair.send(batch, size);
  state.SetItemsProcessed(state.iterations() * state.range(1));
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(1));
}

void through_the_tunnel_among_peers(benchmark::State& state) {
  Pair pair;
  pair.add_bystanders(static_cast<uint32_t>(state.range(0)));
  pair.send(1, 100);
  for (auto _ : state) pair.send(64, 1420);
  state.SetItemsProcessed(state.iterations() * 64);
}

void handshake(benchmark::State& state) {
  Pair pair;
  for (auto _ : state) {
    pair.now.mono += seconds(200);  // every session is too old to use
    pair.now.wall += seconds(200);
    pair.send(1, 100);
  }
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(through_the_tunnel)->ArgNames({"bytes", "batch"})->ArgsProduct({{64, 1420}, {1, 128}});
BENCHMARK(through_the_tunnel_among_peers)->ArgName("peers")->Arg(0)->Arg(100)->Arg(10'000);
BENCHMARK(handshake);

}  // namespace
}  // namespace adit::tunnel
