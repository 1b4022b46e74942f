// Which implementations of the batch door an x86-64 processor has.
#include <vector>

#include "crypto/aead_kernel.h"
#include "crypto/aead_x86.h"

namespace adit::crypto {
namespace {

// Measured by bench/aead_bench.cc with batches of one.  libsodium takes 512 bytes at a time and is slow with the rest.
bool good_alone_avx512(size_t size) noexcept { return size > 64; }
bool good_alone_avx2(size_t size) noexcept { return size > 64 && size < 2048 && (size < 512 || size % 512 > 192); }

constexpr Kernel kAvx512 = {seal_avx512, open_avx512, good_alone_avx512};
constexpr Kernel kAvx2 = {seal_avx2, open_avx2, good_alone_avx2};

constexpr AeadImpl kAeadAvx512 = {.name = "avx512", .seal_batch = seal_with<kAvx512>, .open_batch = open_with<kAvx512>};
constexpr AeadImpl kAeadAvx2 = {.name = "avx2", .seal_batch = seal_with<kAvx2>, .open_batch = open_with<kAvx2>};

/// These also ask whether the operating system keeps the registers when it changes threads.  What is asked for is what
/// CMakeLists.txt compiles the files for.
bool has_avx512() noexcept {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512ifma") && __builtin_cpu_supports("avx512vbmi2") &&
         __builtin_cpu_supports("bmi2");
}
bool has_avx2() noexcept { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"); }

}  // namespace

std::span<const AeadImpl* const> available_implementations() noexcept {
  static const std::vector<const AeadImpl*> all = [] {
    __builtin_cpu_init();
    std::vector<const AeadImpl*> found;
    if (has_avx512()) found.push_back(&kAeadAvx512);
    if (has_avx2()) found.push_back(&kAeadAvx2);
    found.push_back(&kAeadSodium);
    return found;
  }();
  return all;
}

}  // namespace adit::crypto
