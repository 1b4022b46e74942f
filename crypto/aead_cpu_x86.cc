// Which implementations of the batch door an x86-64 processor has, and the way from jobs to them: what the vector files
// need not do is done here, where nothing is compiled for a processor we may not be on (see aead_vector.h).
#include <algorithm>
#include <cassert>
#include <vector>

#include "crypto/aead_impl.h"
#include "crypto/aead_x86.h"

namespace adit::crypto {
namespace {

struct Kernel {
  void (*seal)(const vector::Messages&, size_t) noexcept;
  vector::MessageBits (*open)(const vector::Messages&, size_t) noexcept;
  // A job that comes alone leaves most lanes empty: is one of so many bytes still faster here than with libsodium?
  bool (*good_alone)(size_t size) noexcept;
};

// Measured by bench/aead_bench.cc with batches of one.  libsodium takes 512 bytes at a time and is slow with the rest.
bool good_alone_avx512(size_t size) noexcept { return size > 64; }
bool good_alone_avx2(size_t size) noexcept { return size > 64 && size < 2048 && (size < 512 || size % 512 > 192); }

constexpr Kernel kAvx512 = {seal_avx512, open_avx512, good_alone_avx512};
constexpr Kernel kAvx2 = {seal_avx2, open_avx2, good_alone_avx2};

template <typename Job>
bool better_with_sodium(const Kernel& kernel, std::span<Job> jobs) noexcept {
  return jobs.size() == 1 && !kernel.good_alone(jobs.front().text_and_tag.size() - kTagSize);
}

template <typename Job>
void to_messages(std::span<Job> jobs, vector::Messages& messages) noexcept {
  const auto set = [&](size_t i, const auto& job) {
    assert(job.text_and_tag.size() >= kTagSize);
    messages.key[i] = job.key->bytes().data();
    messages.nonce[i] = job.nonce;
    messages.text[i] = job.text_and_tag.data();
    messages.size[i] = job.text_and_tag.size() - kTagSize;
  };
  for (size_t i = 0; i < jobs.size(); ++i) set(i, jobs[i]);
  for (size_t i = jobs.size(); i % vector::kMostWidth != 0; ++i) set(i, jobs.back());
}

template <const Kernel& kKernel>
void seal_with(std::span<const SealJob> jobs) noexcept {
  if (better_with_sodium(kKernel, jobs)) return kAeadSodium.seal_batch(jobs);
  vector::Messages messages;
  while (!jobs.empty()) {
    const auto now = jobs.first(std::min(jobs.size(), vector::kMostMessages));
    to_messages(now, messages);
    kKernel.seal(messages, now.size());
    jobs = jobs.subspan(now.size());
  }
}

template <const Kernel& kKernel>
void open_with(std::span<OpenJob> jobs) noexcept {
  if (better_with_sodium(kKernel, jobs)) return kAeadSodium.open_batch(jobs);
  vector::Messages messages;
  while (!jobs.empty()) {
    const auto now = jobs.first(std::min(jobs.size(), vector::kMostMessages));
    to_messages(now, messages);
    const vector::MessageBits good = kKernel.open(messages, now.size());
    for (size_t i = 0; i < now.size(); ++i) now[i].ok = (good >> i & 1) != 0;
    jobs = jobs.subspan(now.size());
  }
}

constexpr AeadImpl kAeadAvx512 = {.name = "avx512", .seal_batch = seal_with<kAvx512>, .open_batch = open_with<kAvx512>};
constexpr AeadImpl kAeadAvx2 = {.name = "avx2", .seal_batch = seal_with<kAvx2>, .open_batch = open_with<kAvx2>};

/// These also ask whether the operating system keeps the registers when it changes threads.  What is asked for is what
/// CMakeLists.txt compiles the files for.
bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi2") &&
         __builtin_cpu_supports("bmi2");
}
bool has_avx2() noexcept { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }

}  // namespace

std::span<const AeadImpl* const> available_implementations() noexcept {
  static const std::vector<const AeadImpl*> all = [] {
    __builtin_cpu_init();
    std::vector<const AeadImpl*> found;
    if (has_avx512()) found.push_back(&kAeadAvx512);
    if (has_avx2()) found.push_back(&kAeadAvx2);
    found.push_back(&kAeadSodium);
    return found;
  }();
  return all;
}

}  // namespace adit::crypto
