// The AEADs by libsodium: the single door, and the batch door one job after another.
#include <array>
#include <cassert>

#include "crypto/aead.h"
#include "crypto/aead_impl.h"
#include "crypto/sodium.h"

namespace adit::crypto {
namespace {

static_assert(kTagSize == crypto_aead_chacha20poly1305_ietf_ABYTES);
static_assert(kTagSize == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(kXNonceSize == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);

/// Paper 5.4: 32 zero bits, then the counter little-endian.
std::array<uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> nonce_bytes(uint64_t counter) noexcept {
  std::array<uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES> nonce{};
  for (size_t byte = 0; byte < 8; ++byte) nonce[4 + byte] = static_cast<uint8_t>(counter >> (8 * byte));
  return nonce;
}

void seal_each(std::span<const SealJob> jobs) noexcept {
  for (const SealJob& job : jobs) {
    assert(job.text_and_tag.size() >= kTagSize);
    seal(*job.key, job.nonce, {}, job.text_and_tag.first(job.text_and_tag.size() - kTagSize), job.text_and_tag);
  }
}

void open_each(std::span<OpenJob> jobs) noexcept {
  for (OpenJob& job : jobs) {
    assert(job.text_and_tag.size() >= kTagSize);
    job.ok =
        open(*job.key, job.nonce, {}, job.text_and_tag, job.text_and_tag.first(job.text_and_tag.size() - kTagSize));
  }
}

}  // namespace

const AeadImpl kAeadSodium = {.name = "sodium", .seal_batch = seal_each, .open_batch = open_each};

void seal(const SymmetricKey& key, uint64_t nonce, std::span<const uint8_t> associated, std::span<const uint8_t> text,
          std::span<uint8_t> out) noexcept {
  assert(out.size() == text.size() + kTagSize);
  need_sodium();
  crypto_aead_chacha20poly1305_ietf_encrypt(out.data(), nullptr, text.data(), text.size(), associated.data(),
                                            associated.size(), nullptr, nonce_bytes(nonce).data(), key.bytes().data());
}

bool open(const SymmetricKey& key, uint64_t nonce, std::span<const uint8_t> associated, std::span<const uint8_t> sealed,
          std::span<uint8_t> out) noexcept {
  assert(sealed.size() == out.size() + kTagSize);
  need_sodium();
  return crypto_aead_chacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                   associated.data(), associated.size(), nonce_bytes(nonce).data(),
                                                   key.bytes().data()) == 0;
}

void xseal(const SymmetricKey& key, std::span<const uint8_t, kXNonceSize> nonce, std::span<const uint8_t> associated,
           std::span<const uint8_t> text, std::span<uint8_t> out) noexcept {
  assert(out.size() == text.size() + kTagSize);
  need_sodium();
  crypto_aead_xchacha20poly1305_ietf_encrypt(out.data(), nullptr, text.data(), text.size(), associated.data(),
                                             associated.size(), nullptr, nonce.data(), key.bytes().data());
}

bool xopen(const SymmetricKey& key, std::span<const uint8_t, kXNonceSize> nonce, std::span<const uint8_t> associated,
           std::span<const uint8_t> sealed, std::span<uint8_t> out) noexcept {
  assert(sealed.size() == out.size() + kTagSize);
  need_sodium();
  return crypto_aead_xchacha20poly1305_ietf_decrypt(out.data(), nullptr, nullptr, sealed.data(), sealed.size(),
                                                    associated.data(), associated.size(), nonce.data(),
                                                    key.bytes().data()) == 0;
}

}  // namespace adit::crypto
