#include "crypto/aead.h"

#include <algorithm>
#include <cstdlib>

#include "crypto/aead_impl.h"

namespace adit::crypto {
namespace {

/// The best this processor has, unless the environment's ADIT_AEAD names another that it has.
const AeadImpl& choose() {
  const std::span<const AeadImpl* const> found = aead_implementations();
  const char* const wanted = std::getenv("ADIT_AEAD");
  if (wanted == nullptr) return *found.front();
  const auto named = std::ranges::find(found, std::string_view(wanted), &AeadImpl::name);
  return named == found.end() ? *found.front() : **named;
}

const AeadImpl& chosen() noexcept {
  static const AeadImpl& implementation = choose();
  return implementation;
}

}  // namespace

std::string_view aead_name() noexcept { return chosen().name; }

void seal_batch(std::span<const SealJob> jobs) noexcept { chosen().seal_batch(jobs); }

void open_batch(std::span<OpenJob> jobs) noexcept { chosen().open_batch(jobs); }

}  // namespace adit::crypto
