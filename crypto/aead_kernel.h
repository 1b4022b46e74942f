// The way from jobs to the vector files: what they need not do is done here, where nothing is compiled for a processor
// we may not be on (see aead_vector.h).  Only the aead_cpu_*.cc files include this.
#pragma once

#include <algorithm>
#include <cassert>

#include "crypto/aead_impl.h"
#include "crypto/aead_lanes.h"

namespace adit::crypto {

struct Kernel {
  void (*seal)(const vector::Messages&, size_t) noexcept;
  vector::MessageBits (*open)(const vector::Messages&, size_t) noexcept;
  // A job that comes alone leaves most lanes empty: is one of so many bytes still faster here than with libsodium?
  bool (*good_alone)(size_t size) noexcept;
};

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

}  // namespace adit::crypto
