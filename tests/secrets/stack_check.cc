// Seals and opens, and then looks at the stack below: keys must not be there any more, and of one-time keys and
// keystream no more than the few words for which the compiler had no register.
//
//     stack_check avx2
#include <sodium.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <set>
#include <string_view>
#include <vector>

#include "crypto/aead_impl.h"
#include "crypto/random.h"

namespace adit::crypto {
namespace {

constexpr size_t kStack = 64 * 1024;
constexpr size_t kMostSpilled = 48;  // words: six AVX2 registers
using Words = std::set<uint32_t>;

std::array<uint8_t, kStack> below;

[[gnu::noinline]] void overwrite_below() {
  volatile uint8_t stack[kStack + 4096];
  for (volatile uint8_t& byte : stack) byte = 0x55;
}
[[gnu::noinline]] void copy_below() {
  uint8_t stack[kStack];
  asm volatile("" : : "r"(stack) : "memory");
  std::memcpy(below.data(), stack, kStack);
}

void add_words(Words& words, std::span<const uint8_t> bytes) {
  for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    uint32_t word;
    std::memcpy(&word, &bytes[at], sizeof word);
    words.insert(word);
  }
}

size_t count_below(const Words& words) {
  size_t count = 0;
  for (size_t at = 0; at < kStack; at += 4) {
    uint32_t word;
    std::memcpy(&word, &below[at], sizeof word);
    count += words.contains(word);
  }
  return count;
}

/// One-time keys and keystream of messages of so many bytes with the nonces 0, 1, ...
Words stream_words(const SymmetricKey& key, size_t messages, size_t size) {
  Words words;
  for (size_t i = 0; i < messages; ++i) {
    std::vector<uint8_t> stream(64 + size);
    std::array<uint8_t, 12> nonce{};
    nonce[4] = static_cast<uint8_t>(i);
    crypto_stream_chacha20_ietf(stream.data(), stream.size(), nonce.data(), key.bytes().data());
    add_words(words, stream);
  }
  return words;
}

bool is_clean(const AeadImpl& implementation, size_t messages, size_t size, bool opening) {
  SymmetricKey key;
  random_bytes(key.bytes());
  std::vector<std::vector<uint8_t>> memory(messages, std::vector<uint8_t>(size + kTagSize));
  std::vector<SealJob> seals;
  std::vector<OpenJob> opens;
  for (size_t i = 0; i < messages; ++i) {
    seals.push_back({&key, i, memory[i]});
    opens.push_back({&key, i, memory[i], false});
  }
  if (opening) implementation.seal_batch(seals);
  overwrite_below();
  if (opening) {
    implementation.open_batch(opens);
  } else {
    implementation.seal_batch(seals);
  }
  copy_below();
  Words keys;
  add_words(keys, key.bytes());
  const size_t of_key = count_below(keys), of_stream = count_below(stream_words(key, messages, size));
  if (of_key == 0 && of_stream <= kMostSpilled) return true;
  std::printf("%zu messages of %zu bytes: %zu words of the key and %zu of the stream are left\n", messages, size,
              of_key, of_stream);
  return false;
}

}  // namespace
}  // namespace adit::crypto

int main(int argc, char** argv) {
  using namespace adit::crypto;
  const std::string_view name = argc > 1 ? argv[1] : "";
  const auto all = available_implementations();
  const auto found = std::ranges::find(all, name, &AeadImpl::name);
  if (found == all.end()) {
    std::puts("skipped: not on this processor");
    return 0;
  }
  bool clean = true;
  for (const size_t size : {64u, 65u, 300u, 1420u}) {
    for (const size_t messages : {1u, 2u, 16u, 64u}) {
      for (const bool opening : {false, true}) {
        if (messages == 1 && size == 64) continue;  // libsodium's
        clean &= is_clean(**found, messages, size, opening);
      }
    }
  }
  return clean ? 0 : 1;
}
