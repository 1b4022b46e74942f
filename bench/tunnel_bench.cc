// A packet's way through the tunnel without I/O, and handshakes.

#include <benchmark/benchmark.h>

#include <ctime>
#include <vector>

#include "bench/many_peers.h"
#include "crypto/x25519.h"
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

  /// A batch of packets from a to b, all the way; also answers what b answers.
  void send(size_t count, size_t size) {
    for (size_t i = 0; i < count; ++i) {
      Packet packet = pool.take();
      const Bytes bytes = packet.push_back(size);
      bytes[0] = 0x45;
      store_be16(&bytes[2], static_cast<uint16_t>(size));
      copy_bytes(kInnerA.bytes(), &bytes[12]);
      copy_bytes(kInnerB.bytes(), &bytes[16]);
      inner.push_back(std::move(packet));
    }
    a.encapsulate(inner, now, to_b, unreachable);
    while (!to_b.empty() || !to_a.empty()) {
      carry(to_b, incoming, kOuterA);
      receive(b, incoming, now, inner, to_a);
      carry(to_a, incoming, kOuterB);
      receive(a, incoming, now, inner, to_b);
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
  Incoming incoming;
  Outgoing to_a, to_b;
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

/// The last one that was asked for: thousands of handshakes take a while.
ManyPeers& many_peers(const benchmark::State& state) {
  static std::array<int64_t, 3> made{};
  static std::unique_ptr<ManyPeers> peers;
  const std::array<int64_t, 3> wanted = {state.range(0), state.range(1), state.range(2)};
  if (std::exchange(made, wanted) != wanted) {
    peers.reset();
    peers =
        std::make_unique<ManyPeers>(static_cast<uint32_t>(wanted[0]), static_cast<uint32_t>(wanted[1]), wanted[2] == 4);
  }
  return *peers;
}

/// This thread's time alone, as if it had the processor to itself.
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

/// What `work` takes, without what was done for it before and is done after it.
template <typename Work>
void measure(benchmark::State& state, Work work) {
  const double begin = thread_seconds();
  work();
  state.SetIterationTime(thread_seconds() - begin);
}

constexpr size_t kBatch = 64;

void encapsulate(benchmark::State& state) {
  ManyPeers& many = many_peers(state);
  PacketBatch inner, unreachable;
  Outgoing out;
  for (auto _ : state) {
    out.sealed().clear();
    many.fill(inner, kBatch, 1420, static_cast<size_t>(state.range(3)));
    measure(state, [&] {
      many.gateway->encapsulate(inner, many.now, out, unreachable);
      static_cast<void>(out.sealed());
    });
    if (out.sealed().size() != kBatch) return state.SkipWithError("packets were dropped");
  }
  state.SetItemsProcessed(state.iterations() * int64_t{kBatch});
}

void decapsulate(benchmark::State& state) {
  ManyPeers& many = many_peers(state);
  PacketBatch inner;
  Incoming incoming;
  Outgoing replies;
  for (auto _ : state) {
    inner.clear();
    many.fill(incoming, kBatch, 1420, static_cast<size_t>(state.range(3)));
    measure(state, [&] { receive(*many.gateway, incoming, many.now, inner, replies); });
    if (inner.size() != kBatch) return state.SkipWithError("packets were dropped");
  }
  state.SetItemsProcessed(state.iterations() * int64_t{kBatch});
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

/// The X25519 of one handshake, both sides (paper 5.4.2, 5.4.3), which bounds handshakes: for each side a fresh
/// ephemeral key, and es, ee and se.  ss is computed once per peer.
void x25519_of_a_handshake(benchmark::State& state) {
  constexpr int kSides = 2, kExchanges = 3;
  const crypto::PrivateKey key = crypto::generate_private_key();
  const crypto::PublicKey other = crypto::public_key_of(crypto::generate_private_key());
  crypto::SharedSecret secret;
  for (auto _ : state) {
    for (int i = 0; i < kSides; ++i) benchmark::DoNotOptimize(crypto::public_key_of(key));
    for (int i = 0; i < kSides * kExchanges; ++i) benchmark::DoNotOptimize(crypto::exchange(key, other, secret));
  }
  state.SetItemsProcessed(state.iterations());
}

void replay_window(benchmark::State& state) {
  ReplayWindow window;
  uint64_t counter = 0;
  for (auto _ : state) benchmark::DoNotOptimize(window.accept(counter++ ^ static_cast<uint64_t>(state.range(0))));
  state.SetItemsProcessed(state.iterations());
}

BENCHMARK(x25519_of_a_handshake);
BENCHMARK(replay_window)->ArgName("reordered_within")->Arg(0)->Arg(63)->Arg(4095);
BENCHMARK(through_the_tunnel)->ArgNames({"bytes", "batch"})->ArgsProduct({{64, 1420}, {1, 128}});

/// A packet from a peer and one to it, which moves its timers back and forth.
void answer(benchmark::State& state) {
  ManyPeers& many = many_peers(state);
  PacketBatch inner, unreachable;
  Incoming incoming;
  Outgoing replies;
  for (auto _ : state) {
    replies.sealed().clear();
    many.fill(incoming, kBatch, 1420, static_cast<size_t>(state.range(3)));
    measure(state, [&] {
      receive(*many.gateway, incoming, many.now, inner, replies);
      many.turn_around(inner);
      many.gateway->encapsulate(inner, many.now, replies, unreachable);
      static_cast<void>(replies.sealed());
    });
    if (replies.sealed().size() != kBatch) return state.SkipWithError("packets were dropped");
  }
  state.SetItemsProcessed(state.iterations() * int64_t{kBatch});
}

/// Peers, allowed IPs, IP version, and how many packets in a row are of the same peer.
void populations(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"peers", "prefixes", "ip", "burst"})->UseManualTime();
  for (const int64_t ip : {4, 6}) {
    for (const auto& [peers, prefixes] : {std::pair<int64_t, int64_t>{1, 1},
                                          {1, 1'000},
                                          {1, 100'000},
                                          {100, 100},
                                          {10'000, 10'000},
                                          {10'000, 100'000}}) {
      for (const int64_t burst : {1, 16, 64}) benchmark->Args({peers, prefixes, ip, burst});
    }
  }
}
BENCHMARK(encapsulate)->Apply(populations);
BENCHMARK(decapsulate)->Apply(populations);
BENCHMARK(answer)->Apply(populations);
BENCHMARK(handshake);

}  // namespace
}  // namespace adit::tunnel
