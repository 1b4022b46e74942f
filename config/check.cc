#include "config/check.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "config/problems.h"
#include "crypto/x25519.h"

namespace adit::config {
namespace {

/// Where each value was seen first.
template <typename T>
class Seen {
 public:
  /// The earlier place of the same value; else nothing, and this place is kept.
  std::optional<Place> before(const T& value, Place place) {
    const auto [at, is_new] = places_.emplace(value, place);
    if (is_new) return {};
    return at->second;
  }

 private:
  std::map<T, Place> places_;
};

/// Names must differ among the peers and among the forwards; those without a name have "".
template <typename Item, typename ItemPlaces>
void check_names(const std::string& what, const std::vector<Item>& items, const std::vector<ItemPlaces>& places,
                 Problems& problems) {
  Seen<std::string> seen;
  for (size_t i = 0; i < items.size(); ++i) {
    if (items[i].name.empty()) continue;
    const auto earlier = seen.before(items[i].name, places[i].name);
    if (!earlier) continue;
    problems.add(places[i].name,
                 "another " + what + " is named " + in_quotes(items[i].name) + ", " + line_of(*earlier));
  }
}

void check_addresses(const Interface& interface, const InterfacePlaces& places, Problems& problems) {
  Seen<Ip> seen;
  for (size_t i = 0; i < interface.addresses.size(); ++i) {
    const Ip& ip = interface.addresses[i].ip;
    const auto earlier = seen.before(ip, places.addresses[i]);
    if (earlier) problems.add(places.addresses[i], ip.to_string() + " is already an address, " + line_of(*earlier));
  }
}

void check_mtu(const Interface& interface, const InterfacePlaces& places, Problems& problems) {
  constexpr uint16_t kSmallestForIpv6 = 1280;  // RFC 8200 5
  const bool has_v6 = std::ranges::any_of(interface.addresses, [](const auto& address) { return address.ip.is_v6(); });
  if (places.mtu.line == 0 || !has_v6 || interface.mtu >= kSmallestForIpv6) return;
  problems.add(places.mtu, "mtu must be at least 1280 because the interface has an IPv6 address");
}

void check_public_keys(const Config& config, const Places& places, Problems& problems) {
  std::optional<crypto::PublicKey> own;
  if (places.interface.private_key.line != 0) own = crypto::public_key_of(config.interface.private_key);
  Seen<crypto::PublicKey> seen;
  for (size_t i = 0; i < config.peers.size(); ++i) {
    const crypto::PublicKey& key = config.peers[i].public_key;
    const Place place = places.peers[i].public_key;
    if (place.line == 0) continue;
    if (key == own) problems.add(place, "this is the interface's own public key, not the peer's");
    const auto earlier = seen.before(key, place);
    if (earlier) problems.add(place, "another peer has this public key, " + line_of(*earlier));
  }
}

void check_allowed_ips(const Config& config, const Places& places, Problems& problems) {
  std::map<Prefix, std::pair<size_t, Place>> owners;
  for (size_t i = 0; i < config.peers.size(); ++i) {
    for (size_t j = 0; j < config.peers[i].allowed_ips.size(); ++j) {
      const Prefix& prefix = config.peers[i].allowed_ips[j];
      const Place place = places.peers[i].allowed_ips[j];
      const auto& [owner, earlier] = owners.emplace(prefix, std::pair(i, place)).first->second;
      if (owner == i) continue;  // new, or written twice at one peer, which does no harm
      problems.add(place, prefix.to_string() + " already belongs to the peer of " + line_of(earlier));
    }
  }
}

/// Sockets that are listened on so far, to find those that cannot be bound beside each other: a wildcard takes its port
/// on every address of its IP version.
class Listeners {
 public:
  /// The earlier one that `endpoint` clashes with, if any.
  std::optional<std::pair<Endpoint, Place>> clash(const Endpoint& endpoint, Place place) {
    const auto same_port = first_of_port_.find({endpoint.ip.is_v4(), endpoint.port});
    const auto same = all_.find(endpoint);
    const auto wildcard = all_.find({endpoint.ip.is_v4() ? Ip::v4(0) : Ip(), endpoint.port});
    std::optional<std::pair<Endpoint, Place>> found;
    if (endpoint.ip.is_unspecified() && same_port != first_of_port_.end()) found = same_port->second;
    if (wildcard != all_.end()) found = *wildcard;
    if (same != all_.end()) found = *same;
    all_.emplace(endpoint, place);
    first_of_port_.emplace(std::pair(endpoint.ip.is_v4(), endpoint.port), std::pair(endpoint, place));
    return found;
  }

 private:
  std::map<Endpoint, Place> all_;
  std::map<std::pair<bool, uint16_t>, std::pair<Endpoint, Place>> first_of_port_;  // by IP version and port
};

void check_listeners(const Config& config, const Places& places, Problems& problems) {
  const Interface& interface = config.interface;
  Listeners listeners;
  for (size_t i = 0; i < config.forwards.size(); ++i) {
    for (size_t j = 0; j < config.forwards[i].listeners.size(); ++j) {
      const Endpoint& endpoint = config.forwards[i].listeners[j].listen;
      const Place place = places.forwards[i].listen[j];
      const auto clash = listeners.clash(endpoint, place);
      if (clash && clash->first == endpoint) {
        problems.add(place, endpoint.to_string() + " is already listened on, " + line_of(clash->second));
      } else if (clash) {
        problems.add(
            place, endpoint.to_string() + " overlaps with " + clash->first.to_string() + ", " + line_of(clash->second));
      }
      // The interface's own socket is bound to every address.
      if (interface.listen_port != 0 && endpoint.port == interface.listen_port) {
        problems.add(place, endpoint.to_string() + " is the interface's own listen_port, " +
                                line_of(places.interface.listen_port));
      }
    }
  }
}

/// Why what is sent to `to` would not arrive; nothing when it would.
std::optional<std::string> fault_of_service(const Config& config, const Places& places, const Ip& to) {
  const auto& addresses = config.interface.addresses;
  const auto is_it = [&](const InterfaceAddress& address) { return address.ip == to; };
  if (std::ranges::any_of(addresses, is_it)) return to.to_string() + " is the gateway's own address, not a service's";
  const auto holds_it = [&](const Prefix& prefix) { return prefix.contains(to); };
  const auto leads_to_it = [&](const Peer& peer) { return std::ranges::any_of(peer.allowed_ips, holds_it); };
  if (places.knows_all_allowed_ips && std::ranges::none_of(config.peers, leads_to_it)) {
    return "no peer's allowed_ips hold " + to.to_string() + ": the datagrams would go nowhere";
  }
  return {};
}

void check_services(const Config& config, const Places& places, Problems& problems) {
  for (size_t i = 0; i < config.forwards.size(); ++i) {
    const Place place = places.forwards[i].to;
    if (place.line == 0 || config.forwards[i].listeners.empty()) continue;
    const Ip& to = config.forwards[i].listeners.front().to.ip;
    if (const auto fault = fault_of_service(config, places, to)) problems.add(place, *fault);
    const auto is_of_version = [&](const InterfaceAddress& address) { return address.ip.is_v4() == to.is_v4(); };
    if (places.knows_all_addresses && std::ranges::none_of(config.interface.addresses, is_of_version)) {
      problems.add(place, std::string("the interface has no ") + (to.is_v4() ? "IPv4" : "IPv6") + " address, which " +
                              to.to_string() + " would answer to");
    }
  }
}

}  // namespace

void check(const Config& config, const Places& places, Problems& problems) {
  check_addresses(config.interface, places.interface, problems);
  check_mtu(config.interface, places.interface, problems);
  check_public_keys(config, places, problems);
  check_names("peer", config.peers, places.peers, problems);
  check_allowed_ips(config, places, problems);
  check_names("forward", config.forwards, places.forwards, problems);
  check_listeners(config, places, problems);
  check_services(config, places, problems);
}

}  // namespace adit::config
