// What sealing costs, by implementation, packet length and batch size; beside them OpenSSL's, one packet after another.
// Opening is within a few percent.  Names read seal/IMPLEMENTATION/BYTES/BATCH.

#include <benchmark/benchmark.h>
#include <openssl/evp.h>

#include <string>
#include <vector>

#include "crypto/aead_impl.h"
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

void count_bytes(benchmark::State& state, size_t length, size_t count) {
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(length * count));
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
}

void seal_ours(benchmark::State& state, const AeadImpl& implementation, size_t length, size_t count) {
  const Batch batch(length, count);
  for (auto _ : state) implementation.seal_batch(batch.jobs);
  count_bytes(state, length, count);
}

/// The key is set once, as a session's would be.
void seal_openssl(benchmark::State& state, size_t length, size_t count) {
  const Batch batch(length, count);
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  EVP_EncryptInit_ex(context, EVP_chacha20_poly1305(), nullptr, batch.key.bytes().data(), nullptr);
  for (auto _ : state) {
    for (const SealJob& job : batch.jobs) {
      std::array<uint8_t, 12> nonce{};
      nonce[4] = static_cast<uint8_t>(job.nonce);
      uint8_t* const text = job.text_and_tag.data();
      int written = 0;
      EVP_EncryptInit_ex(context, nullptr, nullptr, nullptr, nonce.data());
      EVP_EncryptUpdate(context, text, &written, text, static_cast<int>(length));
      EVP_EncryptFinal_ex(context, text + written, &written);
      EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagSize, text + length);
    }
  }
  EVP_CIPHER_CTX_free(context);
  count_bytes(state, length, count);
}

[[maybe_unused]] const bool kRegistered = [] {
  for (const size_t length : {64u, 128u, 256u, 512u, 1024u, 1420u, 8192u, 16384u}) {
    for (const size_t count : {1u, 2u, 4u, 8u, 16u, 64u}) {
      const std::string shape = "/" + std::to_string(length) + "/" + std::to_string(count);
      for (const AeadImpl* each : available_implementations()) {
        benchmark::RegisterBenchmark(("seal/" + std::string(each->name) + shape).c_str(), seal_ours, *each, length,
                                     count);
      }
      benchmark::RegisterBenchmark(("seal/openssl" + shape).c_str(), seal_openssl, length, count);
    }
  }
  return true;
}();

}  // namespace
}  // namespace adit::crypto
