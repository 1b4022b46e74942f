// FreeBSD: what may still be done with a descriptor, by this process and by whoever takes it over (capsicum(4)).
#pragma once

#include <sys/capsicum.h>

#include <span>

namespace adit {

/// Takes away every right but `rights`, for good, and every ioctl but `ioctls` (which need CAP_IOCTL among the rights).
/// A kernel without capabilities leaves things as they are.  Throws std::system_error.
void limit_rights(int fd, const cap_rights_t& rights, std::span<const unsigned long> ioctls);

}  // namespace adit
