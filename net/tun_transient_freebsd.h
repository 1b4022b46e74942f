// FreeBSD 15: an interface that goes when its device is closed.  Younger than many a system's headers.
#pragma once

#include <sys/ioccom.h>

namespace adit {

inline constexpr unsigned long kSetTransient = _IOW('t', 98, int);
inline constexpr unsigned long kGetTransient = _IOR('t', 99, int);

}  // namespace adit
