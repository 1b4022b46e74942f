#include "crypto/aead_x86.h"

#include <algorithm>
#include <array>
#include <vector>

#include "crypto/aead_impl.h"

namespace adit::crypto {
namespace {

template <typename Job>
vector::Message message_of(const Job& job) noexcept {
  return {job.key->bytes().data(), job.nonce, job.text_and_tag.data(), job.text_and_tag.size() - kTagSize};
}

/// Hands jobs on, as many at a time as the vector implementations take.
template <typename Job, typename Use>
void in_portions(std::span<Job> jobs, Use use) noexcept {
  std::array<vector::Message, vector::kMostMessages> messages;
  while (!jobs.empty()) {
    const std::span<Job> portion = jobs.first(std::min(jobs.size(), messages.size()));
    std::transform(portion.begin(), portion.end(), messages.begin(), message_of<Job>);
    use(messages.data(), portion);
    jobs = jobs.subspan(portion.size());
  }
}

template <void (*kSeal)(const vector::Message*, size_t) noexcept>
void seal_with(std::span<const SealJob> jobs) noexcept {
  in_portions(
      jobs, [](const vector::Message* messages, std::span<const SealJob> portion) { kSeal(messages, portion.size()); });
}

template <vector::MessageBits (*kOpen)(const vector::Message*, size_t) noexcept>
void open_with(std::span<OpenJob> jobs) noexcept {
  in_portions(jobs, [](const vector::Message* messages, std::span<OpenJob> portion) {
    const vector::MessageBits good = kOpen(messages, portion.size());
    for (size_t i = 0; i < portion.size(); ++i) portion[i].ok = (good >> i & 1) != 0;
  });
}

constexpr AeadImpl kAeadAvx512 = {"avx512", seal_with<seal_avx512>, open_with<open_avx512>};
constexpr AeadImpl kAeadAvx2 = {"avx2", seal_with<seal_avx2>, open_with<open_avx2>};

/// The compiler's own test asks the system, too, whether it keeps the wide registers.
bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("bmi2");
}

std::vector<const AeadImpl*> look() {
  std::vector<const AeadImpl*> found;
  if (has_avx512()) found.push_back(&kAeadAvx512);
  if (__builtin_cpu_supports("avx2")) found.push_back(&kAeadAvx2);
  found.push_back(&kAeadSodium);
  return found;
}

}  // namespace

std::span<const AeadImpl* const> aead_implementations() {
  static const std::vector<const AeadImpl*> found = look();
  return found;
}

}  // namespace adit::crypto
