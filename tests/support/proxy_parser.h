// The PROXY protocol as a service reads it, written from haproxy's specification on inet_pton() and sharing nothing
// with forward/: what both get wrong in the same way they would have to get wrong twice.
#pragma once

#include <optional>
#include <string>

#include "net/addr.h"

namespace adit::test {

struct ProxiedConnection {
  Endpoint client;
  Endpoint local;
  bool operator==(const ProxiedConnection&) const = default;
};

/// The header and nothing behind it, of a proxied TCP connection; anything else is none.
std::optional<ProxiedConnection> parse_proxy_v1(const std::string& header);
std::optional<ProxiedConnection> parse_proxy_v2(const std::string& header);

}  // namespace adit::test
