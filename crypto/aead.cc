#include "crypto/aead.h"

#include <cstdlib>

#include "crypto/aead_impl.h"

namespace adit::crypto {
namespace {

const AeadImpl& choose() noexcept {
  const auto available = available_implementations();
  const char* const wanted = std::getenv("ADIT_AEAD");
  if (wanted == nullptr) return *available.front();
  for (const AeadImpl* const implementation : available) {
    if (implementation->name == wanted) return *implementation;
  }
  const AeadImpl* const null = null_implementation();
  return null != nullptr && null->name == wanted ? *null : *available.front();
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
