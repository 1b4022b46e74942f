// Large tables that are read in no order: with large pages the processor remembers where all of them are.
#pragma once

#include <cstddef>

namespace adit {

/// What alignment and size gain by, on the processors there are.
inline constexpr size_t kLargePage = size_t{2} << 20;

/// Asks for large pages, where the system gives them only to those who ask; it may decline.  `memory` is aligned to
/// kLargePage and untouched.  Its first use then costs a whole large page of memory instead of a small one.
void prefer_large_pages(void* memory, size_t size) noexcept;

}  // namespace adit
