// Where secrets come from, and where what was computed with them becomes public: the linker puts these functions in
// front of the real ones (--wrap), so that the code under test needs no word about it.
#include <sodium.h>
#include <valgrind/memcheck.h>

namespace {

template <typename T>
T made_public(T value) {
  (void)VALGRIND_MAKE_MEM_DEFINED(&value, sizeof value);
  return value;
}

}  // namespace

extern "C" {

void __real_randombytes_buf(void* out, size_t size);
int __real_sodium_memcmp(const void* a, const void* b, size_t size);
int __real_crypto_scalarmult(unsigned char* out, const unsigned char* scalar, const unsigned char* point);

void __wrap_randombytes_buf(void* out, size_t size) {
  __real_randombytes_buf(out, size);
  (void)VALGRIND_MAKE_MEM_UNDEFINED(out, size);
}

/// Whether they are equal.
int __wrap_sodium_memcmp(const void* a, const void* b, size_t size) {
  return made_public(__real_sodium_memcmp(a, b, size));
}

/// Whether the point was of low order.
int __wrap_crypto_scalarmult(unsigned char* out, const unsigned char* scalar, const unsigned char* point) {
  return made_public(__real_crypto_scalarmult(out, scalar, point));
}

// Whether the tag was right, on which libsodium itself branches, and the text: the single door opens names of peers,
// times and cookies, which are looked up and compared.
#define OPENING(function)                                                                                           \
  int __real_##function(unsigned char* text, unsigned long long* text_size, unsigned char* secret_nonce,            \
                        const unsigned char* sealed, unsigned long long size, const unsigned char* associated,      \
                        unsigned long long associated_size, const unsigned char* nonce, const unsigned char* key);  \
  int __wrap_##function(unsigned char* text, unsigned long long* text_size, unsigned char* secret_nonce,            \
                        const unsigned char* sealed, unsigned long long size, const unsigned char* associated,      \
                        unsigned long long associated_size, const unsigned char* nonce, const unsigned char* key) { \
    VALGRIND_DISABLE_ERROR_REPORTING;                                                                               \
    const int result =                                                                                              \
        __real_##function(text, text_size, secret_nonce, sealed, size, associated, associated_size, nonce, key);    \
    VALGRIND_ENABLE_ERROR_REPORTING;                                                                                \
    (void)VALGRIND_MAKE_MEM_DEFINED(text, size - crypto_aead_chacha20poly1305_ietf_ABYTES);                         \
    return made_public(result);                                                                                     \
  }
OPENING(crypto_aead_chacha20poly1305_ietf_decrypt)
OPENING(crypto_aead_xchacha20poly1305_ietf_decrypt)

}  // extern "C"
