// Random numbers from the system's generator.
#pragma once

#include <cstdint>
#include <span>

namespace adit::crypto {

void random_bytes(std::span<uint8_t> out) noexcept;
uint32_t random_u32() noexcept;
uint64_t random_u64() noexcept;

}  // namespace adit::crypto
