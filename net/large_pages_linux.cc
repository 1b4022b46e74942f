#include <sys/mman.h>

#include "net/large_pages.h"

namespace adit {

void prefer_large_pages(void* memory, size_t size) noexcept { (void)madvise(memory, size, MADV_HUGEPAGE); }

}  // namespace adit
