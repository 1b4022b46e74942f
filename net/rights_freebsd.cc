#include "net/rights_freebsd.h"

#include "net/fd.h"

namespace adit {

void limit_rights(int fd, const cap_rights_t& rights, std::span<const unsigned long> ioctls) {
  if (::cap_rights_limit(fd, &rights) < 0) {
    if (errno == ENOSYS) return;
    throw std::system_error(errno, std::generic_category(), "limit a descriptor's rights");
  }
  check_call("limit a descriptor's ioctls", ::cap_ioctls_limit(fd, ioctls.data(), ioctls.size()));
}

}  // namespace adit
