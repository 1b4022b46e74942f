// What this machine's routing tables know.  One implementation file per system, and what all have in common.
#pragma once

#include <optional>
#include <vector>

#include "net/addr.h"

namespace adit {

/// The networks that any table leads to, this machine's own among them, but not default routes.  Throws
/// std::system_error.
std::vector<Prefix> routed_networks();

/// The address of this machine that datagrams to `remote` would leave from; nothing when none could.  Nothing is sent.
std::optional<Ip> source_towards(const Ip& remote) noexcept;

}  // namespace adit
