// What every byte costs outside the tunnel: checksums, super-packets cut and put together, and addresses looked up.

#include <benchmark/benchmark.h>

#include <random>

#include "net/checksum.h"
#include "net/coalesce.h"
#include "net/fragment.h"
#include "net/ip.h"
#include "net/prefix_trie.h"
#include "net/reassembly.h"
#include "net/segment.h"
#include "tests/support/ip_packets.h"

namespace adit {
namespace {

constexpr size_t kPacket = 1420;
constexpr size_t kPackets = 44;  // about 64 KiB

void checksum(benchmark::State& state) {
  const std::vector<uint8_t> bytes(static_cast<size_t>(state.range(0)), 0x5a);
  for (auto _ : state) benchmark::DoNotOptimize(checksum_add(0, bytes));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}

/// As the kernel hands it over: packets of kPacket bytes in one.
struct Super {
  Super(bool v4, bool tcp) : packet({v4, tcp}, 0) {
    const size_t payload = kPacket - packet.headers();
    packet.bytes().resize(packet.headers() + kPackets * payload, 0x5a);
    packet.sign().leave_checksum();
    using Gso = VnetHeader::Gso;
    const Gso kind = !tcp ? Gso::kUdp : v4 ? Gso::kTcp4 : Gso::kTcp6;
    header = {VnetHeader::kNeedsChecksum,
              static_cast<uint8_t>(kind),
              static_cast<uint16_t>(packet.headers()),
              static_cast<uint16_t>(payload),
              static_cast<uint16_t>(packet.ip_header()),
              static_cast<uint16_t>(tcp ? 16 : 6)};
  }
  test::IpPacket packet;
  VnetHeader header;
};

void cut(benchmark::State& state) {
  const Super super(state.range(0) == 4, state.range(1) != 0);
  PacketPool pool(kPackets, kPacket);
  PacketBatch packets;
  for (auto _ : state) {
    packets.clear();
    if (segment(super.packet.bytes(), super.header, pool, packets) != Drop::kNone)
      return state.SkipWithError("dropped");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(packets.size()));
}

/// The first packet's headers become the super-packet's: each turn puts them back.
void put_together(benchmark::State& state) {
  const Super super(state.range(0) == 4, state.range(1) != 0);
  PacketPool pool(kPackets, kPacket);
  PacketBatch packets;
  if (segment(super.packet.bytes(), super.header, pool, packets) != Drop::kNone) return state.SkipWithError("dropped");
  const ConstBytes first = packets[0].bytes().first(super.packet.headers());
  const std::vector<uint8_t> headers(first.begin(), first.end());
  Coalescer coalescer;
  for (auto _ : state) {
    copy_bytes(headers, packets[0].data());
    coalescer.form(packets, {true, true});
    if (coalescer.runs().size() != 1) return state.SkipWithError("more than one run");
  }
  state.SetItemsProcessed(state.iterations() * int64_t{kPackets});
}

Packet datagram(PacketPool& pool, bool v4, size_t payload) {
  Packet packet = pool.take();
  std::ranges::fill(packet.push_back(payload), uint8_t{0x5a});
  const Ip ip = v4 ? Ip::v4(0x0a000001) : *Ip::parse("fd00::1");
  push_udp(packet, {ip, 1}, {ip, 2}, 7);
  return packet;
}

/// One datagram into fragments, per turn; what it was is put back.
void fragment_datagram(benchmark::State& state) {
  PacketPool large(2, 65535);
  PacketPool pool(64, kPacket);
  PacketBatch fragments;
  const Packet original = datagram(large, state.range(0) == 4, static_cast<size_t>(state.range(1)));
  for (auto _ : state) {
    fragments.clear();
    Packet packet = large.take();
    packet.push_back(original.size());
    // The headers: what is behind them is the same in every turn.
    copy_bytes(original.bytes().first(64), packet.data());
    if (fragment(std::move(packet), kPacket, 7, pool, fragments) != Drop::kNone) return state.SkipWithError("dropped");
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(1));
}

/// Fragments, each copied to a packet as a read would, into one datagram, per turn.
void reassemble_datagram(benchmark::State& state) {
  PacketPool large(2, 65535);
  PacketPool pool(128, kPacket);
  PacketBatch fragments, copies;
  if (fragment(datagram(large, state.range(0) == 4, static_cast<size_t>(state.range(1))), kPacket, 7, pool,
               fragments) != Drop::kNone)
    return state.SkipWithError("dropped");
  Reassembler reassembler({});
  DropCounters drops;
  for (auto _ : state) {
    copies.clear();
    for (const Packet& each : fragments) {
      copy_bytes(each.bytes(), copies.emplace_back(pool.take()).push_back(each.size()).data());
    }
    for (Packet& each : copies) reassembler.take(each, Time{}, drops);
    if (!copies.back()) return state.SkipWithError("not whole");
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() * state.range(1));
}

Ip address(uint32_t number, bool v4) {
  const uint32_t spread = (number + 1) * 0x9e3779b1;  // all over the address space, none twice
  if (v4) return Ip::v4(spread);
  std::array<uint8_t, 16> raw{};
  store_be32(&raw[0], spread);
  store_be32(&raw[12], number);
  return Ip::v6(raw);
}

struct Prefixes {
  Prefixes(uint32_t count, bool v4) {
    for (uint32_t i = 0; i < count; ++i) trie.set({address(i, v4), static_cast<uint8_t>(v4 ? 32 : 128)}, this);
    std::mt19937 random(1);
    for (Ip& each : asked) each = address(static_cast<uint32_t>(random() % count), v4);
  }
  PrefixTrie<const void*> trie;
  std::vector<Ip> asked = std::vector<Ip>(65536);
};

void look_up(benchmark::State& state) {
  const Prefixes prefixes(static_cast<uint32_t>(state.range(0)), state.range(1) == 4);
  size_t turn = 0;
  for (auto _ : state) benchmark::DoNotOptimize(*prefixes.trie.find(prefixes.asked[turn++ % 65536]));
  state.SetItemsProcessed(state.iterations());
}

void look_up_batch(benchmark::State& state) {
  const Prefixes prefixes(static_cast<uint32_t>(state.range(0)), state.range(1) == 4);
  std::array<const void* const*, 64> found;
  size_t turn = 0;
  for (auto _ : state) {
    prefixes.trie.find(std::span(prefixes.asked).subspan(turn, found.size()), found);
    for (const void* const* each : found) benchmark::DoNotOptimize(*each);
    turn = (turn + found.size()) % 65536;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(found.size()));
}

/// One prefix set anew and taken away again, among many.
void set_and_erase(benchmark::State& state) {
  const auto count = static_cast<uint32_t>(state.range(0));
  const bool v4 = state.range(1) == 4;
  Prefixes prefixes(count, v4);
  uint32_t turn = 0;
  for (auto _ : state) {
    const Prefix prefix{address(count + turn++ % count, v4), static_cast<uint8_t>(v4 ? 32 : 128)};
    prefixes.trie.set(prefix, nullptr);
    prefixes.trie.erase(prefix);
  }
  state.SetItemsProcessed(2 * state.iterations());
}

void populations(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"prefixes", "ip"})->ArgsProduct({{1, 1'000, 100'000}, {4, 6}});
}
void kinds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"ip", "tcp"})->ArgsProduct({{4, 6}, {1, 0}});
}

void datagrams(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"ip", "payload"})->ArgsProduct({{4, 6}, {9'000, 65'507}});
}

BENCHMARK(checksum)->ArgName("bytes")->Arg(20)->Arg(64)->Arg(1420)->Arg(65535);
BENCHMARK(cut)->Apply(kinds);
BENCHMARK(put_together)->Apply(kinds);
BENCHMARK(fragment_datagram)->Apply(datagrams);
BENCHMARK(reassemble_datagram)->Apply(datagrams);
BENCHMARK(look_up)->Apply(populations);
BENCHMARK(look_up_batch)->Apply(populations);
BENCHMARK(set_and_erase)->Apply(populations);

}  // namespace
}  // namespace adit
