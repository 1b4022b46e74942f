// The tunnel's addresses: which are free, and which are whose.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "daemon/kit/kit.h"

namespace adit::daemon {

/// The last part of an address in the tunnel.
inline constexpr uint32_t kGatewayHost = 1;
inline constexpr uint32_t kHomeHost = 2;

/// 32 random bits at each call.
using Random = std::function<uint32_t()>;

/// A /24 of the private ones (RFC 1918) that shares no address with `taken`; nothing when none is found.
std::optional<Prefix> choose_network(const std::vector<Prefix>& taken, const Random& random);
/// A /64 of a random unique local prefix (RFC 4193 3.2).
Prefix choose_network6(const Random& random);

/// Whether the internet may know an address: neither private, shared (RFC 6598) nor of this machine or link alone.
bool is_public(const Ip& ip);

/// Whether a network has addresses for both ends.
bool holds_both_ends(const Prefix& network);
Ip host_of(const Prefix& network, uint32_t host);

/// An end's addresses of either version: "10.1.2.2/24"; and alone, "10.1.2.2/32".
std::vector<std::string> tunnel_addresses(const KitRequest& request, uint32_t host);
std::vector<std::string> single_addresses(const KitRequest& request, uint32_t host);

/// An address or name as scp takes it: IPv6 in brackets.
std::string in_scp(const std::string& host);

}  // namespace adit::daemon
