// By which way something is asked.
#pragma once

#include <optional>
#include <string>

#include "net/addr.h"

namespace adit::doctor {

struct Way {
  std::string interface;   // to leave by, whatever the routes say; "": as they say
  std::optional<Ip> from;  // an address of this machine, of the IP version; none: the kernel chooses
};

}  // namespace adit::doctor
