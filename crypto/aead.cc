#include "crypto/aead.h"

#include <array>

#include "crypto/aead_impl.h"

namespace adit::crypto {
namespace {

constexpr std::array kImplementations = {&kAeadSodium};  // best first
constexpr const AeadImpl& kChosen = *kImplementations.front();

}  // namespace

std::string_view aead_name() noexcept { return kChosen.name; }

void seal_batch(std::span<const SealJob> jobs) noexcept { kChosen.seal_batch(jobs); }

void open_batch(std::span<OpenJob> jobs) noexcept { kChosen.open_batch(jobs); }

}  // namespace adit::crypto
