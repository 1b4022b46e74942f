#include "net/large_pages.h"

namespace adit {

/// The kernel makes superpages of what is used, unasked.
void prefer_large_pages(void* /*memory*/, size_t /*size*/) noexcept {}

}  // namespace adit
