// Random numbers from the system's generator.
#pragma once

#include <cstdint>
#include <span>

namespace adit::crypto {

void random_bytes(std::span<uint8_t> out) noexcept;
uint32_t random_u32() noexcept;
uint64_t random_u64() noexcept;
/// Uniform in [0, bound).
uint32_t random_below(uint32_t bound) noexcept;

}  // namespace adit::crypto
