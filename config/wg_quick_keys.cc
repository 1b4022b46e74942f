#include "config/wg_quick_keys.h"

#include <algorithm>
#include <optional>

#include "config/table_reader.h"
#include "config/values.h"
#include "config/wg_quick_hints.h"

namespace adit::config {
namespace {

using Setting = WgQuickSetting;
using Target = WgQuickTarget;

template <typename Key>
std::optional<Key> key_of(const Setting& setting, Problems& problems) {
  auto bytes = crypto::key_from_base64(setting.value);
  if (!bytes) {
    // Not shown: it may be most of a secret key.
    problems.add(setting.place, std::string(setting.name) + " must be a key: 44 characters of base64, as wg writes it");
    return {};
  }
  const Key key(*bytes);
  crypto::wipe(*bytes);
  return key;
}

template <typename Number>
std::optional<Number> number_of(const Setting& setting, Number least, Number most, Problems& problems) {
  const auto number = setting.value.starts_with("0x") ? std::nullopt : parse_number(setting.value);
  if (number && *number >= least && *number <= most) return static_cast<Number>(*number);
  problems.add(setting.place, std::string(setting.name) + " must be a number from " + std::to_string(least) + " to " +
                                  std::to_string(most) + ", not " + in_quotes(setting.value));
  return {};
}

bool is_off(const Setting& setting) { return lower_case(setting.value) == "off"; }

/// The entries between commas or blanks, each with its place.
std::vector<Text> entries_of(const Setting& setting) {
  std::vector<Text> entries;
  const std::string_view text = setting.value;
  constexpr std::string_view separators = " \t\r\v\f,";
  for (size_t at = text.find_first_not_of(separators); at < text.size(); at = text.find_first_not_of(separators, at)) {
    const size_t end = std::min(text.find_first_of(separators, at), text.size());
    entries.push_back(
        {text.substr(at, end - at), {setting.place.line, setting.place.column + static_cast<uint32_t>(at)}});
    at = end;
  }
  return entries;
}

// --- [Interface]

void read_private_key(const Setting& setting, const Target& to) {
  const auto key = key_of<crypto::PrivateKey>(setting, to.problems);
  if (!key) return;
  if (key->is_zero()) return to.problems.add(setting.place, "PrivateKey is all zeros, which is no key");
  to.interface().private_key = *key;
  to.places.interface.private_key = setting.place;
}

void read_listen_port(const Setting& setting, const Target& to) {
  const auto port = number_of<uint16_t>(setting, 0, UINT16_MAX, to.problems);
  if (!port) return;
  to.interface().listen_port = *port;
  to.places.interface.listen_port = setting.place;
}

void read_fwmark(const Setting& setting, const Target& to) {
  if (is_off(setting)) return;
  const auto mark = parse_number(setting.value);
  if (mark) to.interface().fwmark = *mark;
  if (!mark) to.problems.add(setting.place, "FwMark must be a number such as 51820 or 0xca6c, or off");
}

void read_address(const Setting& setting, const Target& to) {
  for (const auto& [text, place] : entries_of(setting)) {
    const auto address = parse_interface_address(text);
    if (!address) {
      to.problems.add(place, in_quotes(text) + " is not an address like 10.1.2.5/24 or fd00:1:2::5/64");
      continue;
    }
    to.interface().addresses.push_back(*address);
    to.places.interface.addresses.push_back(place);
  }
}

void read_mtu(const Setting& setting, const Target& to) {
  const auto mtu = number_of<uint16_t>(setting, kSmallestMtu, kLargestMtu, to.problems);
  if (!mtu) return;
  to.interface().mtu = *mtu;
  to.places.interface.mtu = setting.place;
  to.file.has_mtu = true;
}

void read_table(const Setting& setting, const Target& to) {
  const std::string word = lower_case(setting.value);
  if (word == "auto" || word == "main") return;
  to.interface().add_routes = !is_off(setting);
  if (is_off(setting)) return;
  const auto table = parse_number(setting.value);
  if (table && *table != 0) to.interface().table = *table;
  if (!table || *table == 0) to.problems.add(setting.place, "Table must be a number from 1 to 4294967295, auto or off");
}

void leave_over(const Setting& setting, const Target& to) {
  if (setting.value.empty()) return;
  to.file.leftovers.push_back({setting.place, std::string(setting.name) + " = " + std::string(setting.value),
                               advice_on(setting.key, setting.value)});
}

void read_save_config(const Setting& setting, const Target& to) {
  const std::string word = lower_case(setting.value);
  if (word == "true") return leave_over(setting, to);
  if (word != "false") to.problems.add(setting.place, "SaveConfig must be true or false");
}

// --- [Peer]

void read_public_key(const Setting& setting, const Target& to) {
  const auto key = key_of<crypto::PrivateKey>(setting, to.problems);  // which it may be, in the wrong place
  if (!key) return;
  if (key->is_zero()) return to.problems.add(setting.place, "PublicKey is all zeros, which is no key");
  to.peer().public_key.bytes = key->bytes();
  to.peer_places().public_key = setting.place;
}

/// All zeros is none, as wg has it.
void read_preshared_key(const Setting& setting, const Target& to) {
  const auto key = key_of<crypto::PresharedKey>(setting, to.problems);
  if (key) to.peer().preshared_key = *key;
}

void read_allowed_ips(const Setting& setting, const Target& to) {
  for (const auto& [text, place] : entries_of(setting)) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) {
      to.problems.add(place, in_quotes(text) + " is not a network like 10.1.2.0/24 or fd00:1:2::/64");
      continue;
    }
    to.peer().allowed_ips.push_back(*prefix);
    to.peer_places().allowed_ips.push_back(place);
  }
}

void read_endpoint(const Setting& setting, const Target& to) {
  to.peer().endpoint = parse_peer_endpoint(setting.value);
  if (to.peer().endpoint) return;
  to.problems.add(setting.place, in_quotes(setting.value) +
                                     " is not an endpoint like host.example:51820, 192.0.2.1:51820 or "
                                     "[2001:db8::1]:51820");
}

void read_keepalive(const Setting& setting, const Target& to) {
  if (is_off(setting)) return;
  const auto interval = number_of<uint16_t>(setting, 0, UINT16_MAX, to.problems);
  if (interval) to.peer().persistent_keepalive = *interval;
}

constexpr WgQuickKey kInterfaceKeys[] = {
    {"PrivateKey", read_private_key},
    {"ListenPort", read_listen_port},
    {"FwMark", read_fwmark},
    {"Address", read_address, true},
    {"MTU", read_mtu},
    {"Table", read_table},
    {"DNS", leave_over, true},
    {"PreUp", leave_over, true},
    {"PostUp", leave_over, true},
    {"PreDown", leave_over, true},
    {"PostDown", leave_over, true},
    {"SaveConfig", read_save_config},
};
constexpr WgQuickKey kPeerKeys[] = {
    {"PublicKey", read_public_key}, {"PresharedKey", read_preshared_key},    {"AllowedIPs", read_allowed_ips, true},
    {"Endpoint", read_endpoint},    {"PersistentKeepalive", read_keepalive},
};

}  // namespace

std::span<const WgQuickKey> interface_keys() { return kInterfaceKeys; }

std::span<const WgQuickKey> peer_keys() { return kPeerKeys; }

}  // namespace adit::config
