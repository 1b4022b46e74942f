// The check of check.cc for AVX-512, which valgrind 3.19 does not know: MemorySanitizer, too, reports branches and
// addresses that depend on what is not initialised.  avx512_check.sh compiles it, with the ChaCha20 rounds in C++ in
// place of the assembler.
#include <sanitizer/msan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "crypto/aead_x86.h"
#include "tests/secrets/public_tags.h"

namespace adit::crypto {
namespace {

constexpr size_t kMostBytes = 1500;
uint8_t keys[3][32];
uint8_t memory[vector::kMostMessages][kMostBytes + sizeof(Tag)];

void set_messages(vector::Messages& messages, size_t count, size_t keys_used) {
  for (size_t i = 0; i < vector::kMostMessages; ++i) {
    const size_t of = i < count ? i : count - 1;
    messages.key[i] = keys[of % keys_used];
    messages.nonce[i] = of;
    messages.text[i] = memory[of];
    messages.size[i] = of * 397 % kMostBytes;
  }
}

void check_batch(size_t count, size_t keys_used) {
  vector::Messages messages;
  set_messages(messages, count, keys_used);
  __msan_poison(keys, sizeof keys);
  __msan_poison(memory, sizeof memory);
  seal_avx512(messages, count);
  __msan_unpoison(memory, sizeof memory);  // sent
  for (size_t i = 0; i < count; i += 3) memory[i][messages.size[i]] ^= 1;
  const vector::MessageBits good = open_avx512(messages, count);
  for (size_t i = 0; i < count; ++i) {
    if ((good >> i & 1) != (i % 3 != 0)) std::printf("not so: what is forged is refused\n"), std::exit(1);
  }
}

/// What must be found: an address and not a branch, which the compiler could make a choice of values.
int leak() {
  keys[0][0] = 1;
  __msan_poison(keys, sizeof keys);
  return memory[keys[0][0] % 8][0];
}

}  // namespace

uint64_t agree_in_public(const Tag* tags, const uint8_t* const* texts, const uint64_t* sizes, size_t count) {
  const uint64_t agree = agree_really(tags, texts, sizes, count);
  __msan_unpoison(&agree, sizeof agree);
  return agree;
}

}  // namespace adit::crypto

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "leak") return adit::crypto::leak();
  for (const size_t count : {1u, 2u, 8u, 16u, 64u}) {
    adit::crypto::check_batch(count, 1);
    adit::crypto::check_batch(count, 3);
  }
  return 0;
}
