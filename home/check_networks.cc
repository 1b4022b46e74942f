// Addresses and networks beside each other.
#include <algorithm>

#include "config/nearest.h"
#include "home/check.h"

namespace adit::home {
namespace {

using config::in_quotes;
using config::Problems;

Prefix network_of(const InterfaceAddress& address) { return Prefix::of(address.ip, address.prefix_length); }

void check_addresses(const HomeConfig& config, Problems& problems) {
  Taken<Ip> taken;
  const auto take = [&](const Ip& ip, Place place) {
    taken.take(ip, place, "the address " + ip.to_string(), problems);
  };
  for (const Tunnel& tunnel : config.tunnels) {
    for (const auto& address : tunnel.addresses) take(address.value.ip, address.place);
    for (const auto& gateway : tunnel.gateway) {
      const auto is_it = [&](const auto& address) { return address.value.ip == gateway.value; };
      if (!std::ranges::any_of(tunnel.addresses, is_it)) continue;
      problems.add(gateway.place,
                   gateway.value.to_string() + " is the tunnel's own address: gateway is the other end's");
    }
  }
  for (const Bridge& bridge : config.bridges) {
    for (const auto& address : bridge.addresses) take(address.value.ip, address.place);
  }
  for (const Jail& jail : config.jails) {
    for (const auto& address : jail.addresses) take(address.value, address.place);
    for (const JailInterface& interface : jail.interfaces) {
      for (const auto& address : interface.addresses) take(address.value.ip, address.place);
    }
  }
}

/// A network, what it belongs to, and where it was first seen.
struct Segment {
  Prefix network;
  std::string owner;  // the name of a bridge or tunnel, or of a loopback
  Place place;
};

std::vector<Segment> segments_of(const HomeConfig& config) {
  std::vector<Segment> segments;
  const auto add = [&](const InterfaceAddress& address, const std::string& owner, Place place) {
    segments.push_back({network_of(address), owner, place});
  };
  for (const Tunnel* tunnel : host_tunnels(config)) {
    for (const auto& address : tunnel->addresses) add(address.value, tunnel->name, address.place);
  }
  for (const Bridge& bridge : config.bridges) {
    for (const auto& address : bridge.addresses) add(address.value, bridge.name, address.place);
  }
  for (const Jail& jail : config.jails) {
    for (const JailInterface& interface : jail.interfaces) {
      if (interface.bridge.empty()) continue;
      for (const auto& address : interface.addresses) add(address.value, interface.bridge, address.place);
    }
    for (const auto& address : jail.addresses) {
      const auto bits = static_cast<uint8_t>(address.value.bits());
      segments.push_back({Prefix::of(address.value, bits), jail.loopback, address.place});
    }
  }
  return segments;
}

/// One problem for each segment at most: with the first that it overlaps.
void check_overlaps(const HomeConfig& config, Problems& problems) {
  const std::vector<Segment> segments = segments_of(config);
  for (size_t i = 0; i < segments.size(); ++i) {
    const auto clashes = [&](const Segment& earlier) {
      const bool is_same_address =
          earlier.network == segments[i].network && earlier.network.length == earlier.network.ip.bits();
      return earlier.owner != segments[i].owner && !is_same_address && earlier.network.overlaps(segments[i].network);
    };
    const auto end = segments.begin() + static_cast<std::ptrdiff_t>(i);
    const auto found = std::find_if(segments.begin(), end, clashes);
    if (found == end) continue;
    problems.add(segments[i].place, segments[i].network.to_string() + " of " + in_quotes(segments[i].owner) +
                                        " overlaps with " + found->network.to_string() + " of " +
                                        in_quotes(found->owner) + ", " + config::line_of(found->place));
  }
}

void check_on_bridge(const Bridge& bridge, const JailInterface& interface, Problems& problems) {
  for (const auto& address : interface.addresses) {
    const auto is_of_version = [&](const auto& own) { return own.value.ip.is_v4() == address.value.ip.is_v4(); };
    const auto holds_it = [&](const auto& own) { return network_of(own.value).contains(address.value.ip); };
    if (!std::ranges::any_of(bridge.addresses, is_of_version) || std::ranges::any_of(bridge.addresses, holds_it))
      continue;
    problems.add(address.place, address.value.ip.to_string() + " is in no network of the bridge " +
                                    in_quotes(bridge.name) + ", " + config::line_of(bridge.place));
  }
}

void check_bridges(const HomeConfig& config, Problems& problems) {
  std::vector<std::string> names;
  for (const Bridge& bridge : config.bridges) names.push_back(bridge.name);
  for (const Jail& jail : config.jails) {
    for (const JailInterface& interface : jail.interfaces) {
      if (interface.bridge.empty()) continue;
      const Bridge* bridge = find_bridge(config, interface.bridge);
      if (bridge != nullptr) {
        check_on_bridge(*bridge, interface, problems);
        continue;
      }
      problems.add(interface.place, "there is no [[bridge]] " + in_quotes(interface.bridge) +
                                        config::suggestion(interface.bridge, names));
    }
  }
}

/// A router must be a neighbour: in a network of one of the jail's interfaces.
void check_routers(const Jail& jail, Problems& problems) {
  for (const auto& router : jail.default_routers) {
    bool is_near = false;
    for (const JailInterface& interface : jail.interfaces) {
      const auto holds_it = [&](const auto& address) { return network_of(address.value).contains(router.value); };
      is_near = is_near || std::ranges::any_of(interface.addresses, holds_it);
    }
    if (is_near) continue;
    problems.add(router.place,
                 "default_router " + router.value.to_string() + " is in no network of the jail's interfaces");
  }
  for (const bool is_v4 : {true, false}) {
    const auto is_of_version = [&](const auto& router) { return router.value.is_v4() == is_v4; };
    if (std::ranges::count_if(jail.default_routers, is_of_version) < 2) continue;
    problems.add(jail.default_routers.back().place, "default_router is one address of each IP version");
  }
}

}  // namespace

void check_networks(const HomeConfig& config, Problems& problems) {
  check_addresses(config, problems);
  check_overlaps(config, problems);
  check_bridges(config, problems);
  for (const Jail& jail : config.jails) check_routers(jail, problems);
}

}  // namespace adit::home
