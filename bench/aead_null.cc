// No cipher at all: what a tunnel costs without encryption.  Only builds with ADIT_BENCH have it, under ADIT_AEAD=null.
#include <algorithm>
#include <array>

#include "crypto/aead_impl.h"

namespace adit::crypto {
namespace {

/// In place of a tag.  A test looks for it in the program that is released.
constexpr std::array<uint8_t, kTagSize> kNoTag = {'n', 'u', 'l', 'l', ':', ' ', 'n', 'o',
                                                  ' ', 's', 'e', 'c', 'r', 'e', 't', 's'};

void seal_none(std::span<const SealJob> jobs) noexcept {
  for (const SealJob& job : jobs) std::ranges::copy(kNoTag, job.text_and_tag.last<kTagSize>().begin());
}

void open_none(std::span<OpenJob> jobs) noexcept {
  for (OpenJob& job : jobs) job.ok = std::ranges::equal(job.text_and_tag.last<kTagSize>(), kNoTag);
}

constexpr AeadImpl kAeadNull = {.name = "null", .seal_batch = seal_none, .open_batch = open_none};

}  // namespace

const AeadImpl* null_implementation() noexcept { return &kAeadNull; }

}  // namespace adit::crypto
