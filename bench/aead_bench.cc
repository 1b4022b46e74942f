// What sealing and opening costs, by packet length and batch size.

#include <benchmark/benchmark.h>

#include <vector>

#include "crypto/aead.h"
#include "crypto/random.h"

namespace adit::crypto {
namespace {

/// A batch of packets of one length, each with room for its tag.
struct Batch {
  Batch(size_t length, size_t count) : bytes(count * (length + kTagSize)) {
    random_bytes(key.bytes());
    for (size_t i = 0; i < count; ++i) {
      jobs.push_back({&key, i, std::span(bytes).subspan(i * (length + kTagSize), length + kTagSize)});
    }
  }
  SymmetricKey key;
  std::vector<uint8_t> bytes;
  std::vector<SealJob> jobs;
};

void count_bytes(benchmark::State& state) {
  state.SetBytesProcessed(state.iterations() * state.range(0) * state.range(1));
  state.SetItemsProcessed(state.iterations() * state.range(1));
}

void seal(benchmark::State& state) {
  Batch batch(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  for (auto _ : state) seal_batch(batch.jobs);
  count_bytes(state);
}

/// Opening destroys what it opens, so each turn seals first; subtract `seal` for the cost of opening.
void seal_and_open(benchmark::State& state) {
  Batch batch(static_cast<size_t>(state.range(0)), static_cast<size_t>(state.range(1)));
  std::vector<OpenJob> opens;
  for (const SealJob& job : batch.jobs) opens.push_back({job.key, job.nonce, job.text_and_tag, false});
  for (auto _ : state) {
    seal_batch(batch.jobs);
    open_batch(opens);
  }
  count_bytes(state);
}

BENCHMARK(seal)->ArgNames({"bytes", "batch"})->ArgsProduct({{64, 512, 1420}, {1, 16, 128}});
BENCHMARK(seal_and_open)->ArgNames({"bytes", "batch"})->ArgsProduct({{64, 512, 1420}, {1, 16, 128}});

}  // namespace
}  // namespace adit::crypto
