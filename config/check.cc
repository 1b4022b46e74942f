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
    if (key == own) problems.add(place, kIsOwnPublicKey);
    if (own && crypto::PrivateKey(key.bytes) == config.interface.private_key) problems.add(place, kIsOwnPrivateKey);
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

}  // namespace

void check(const Config& config, const Places& places, Problems& problems) {
  check_addresses(config.interface, places.interface, problems);
  check_mtu(config.interface, places.interface, problems);
  check_public_keys(config, places, problems);
  check_names("peer", config.peers, places.peers, problems);
  check_allowed_ips(config, places, problems);
  check_names("forward", config.forwards, places.forwards, problems);
  check_forwards(config, places, problems);
  check_metrics(config, places, problems);
}

}  // namespace adit::config
