// [interface] and [[peer]].
#include <limits>

#include "config/read.h"
#include "config/values.h"

namespace adit::config {
namespace {

constexpr int64_t kLargestPort = 65535;
constexpr int64_t kLargestU32 = std::numeric_limits<uint32_t>::max();

bool is_text(const Node& node, std::string_view text) {
  return node.kind == Node::Kind::kString && node.string == text;
}

/// An integer of 32 bits, in TOML's notation or in text.
std::optional<uint32_t> number_of(const Node& node) {
  if (node.kind == Node::Kind::kString) return parse_number(node.string);
  if (node.kind != Node::Kind::kInteger || node.integer < 0 || node.integer > kLargestU32) return {};
  return static_cast<uint32_t>(node.integer);
}

void read_name(TableReader& reader, Interface& interface) {
  const auto name = reader.text("name");
  if (!name) return;
  interface.name = name->value;
  if (is_interface_name(name->value)) return;
  reader.problems().add(name->place,
                        "name must be 1 to 15 letters, digits or _ = + . - and is " + in_quotes(name->value));
}

void read_mtu(TableReader& reader, Interface& interface, Place& place) {
  const auto mtu = reader.integer("mtu", kSmallestMtu, kLargestMtu);
  if (!mtu) return;
  interface.mtu = static_cast<uint16_t>(mtu->value);
  place = mtu->place;
}

void read_fwmark(TableReader& reader, Interface& interface) {
  const Node* node = reader.find("fwmark");
  if (node == nullptr || is_text(*node, "off")) return;
  const auto mark = number_of(*node);
  if (mark) interface.fwmark = *mark;
  if (!mark) {
    reader.problems().add(node->place,
                          "fwmark must be an integer from 0 to 4294967295, text like \"0xca6c\", or \"off\"");
  }
}

void read_table(TableReader& reader, Interface& interface) {
  const Node* node = reader.find("table");
  if (node == nullptr || is_text(*node, "auto") || is_text(*node, "main")) return;
  if (is_text(*node, "off")) {
    interface.add_routes = false;
    return;
  }
  const auto table = number_of(*node);
  if (table && *table != 0) {
    interface.table = *table;
    return;
  }
  reader.problems().add(node->place, "table must be an integer from 1 to 4294967295, \"auto\", \"main\" or \"off\"");
}

void read_addresses(TableReader& reader, Interface& interface, std::vector<Place>& places) {
  for (const auto& [text, place] : reader.texts("addresses")) {
    const auto address = parse_interface_address(text);
    if (!address) {
      reader.problems().add(place, in_quotes(text) + " is not an address like \"10.1.2.5/24\" or \"fd00:1:2::5/64\"");
      continue;
    }
    interface.addresses.push_back(*address);
    places.push_back(place);
  }
}

void read_peer_name(TableReader& reader, Peer& peer, Place& place) {
  const auto name = reader.text("name");
  if (!name) return;
  if (!is_label(name->value)) {
    reader.problems().add(name->place, "name must be 1 to 63 bytes without control characters");
    return;
  }
  peer.name = name->value;
  place = name->place;
}

void read_public_key(TableReader& reader, Peer& peer, Place& place) {
  const size_t before = reader.problems().count();
  const auto text = reader.text("public_key");
  if (!text) {
    if (reader.problems().count() == before) reader.problems().add(reader.place(), reader.name() + " needs public_key");
    return;
  }
  // The text is not shown: it may be a secret key in the wrong place.
  const auto key = crypto::PublicKey::from_base64(text->value);
  if (!key) {
    reader.problems().add(text->place, "public_key must be a key: 44 characters of base64, as wg and adit write it");
  } else if (*key == crypto::PublicKey{}) {
    reader.problems().add(text->place, "public_key is all zeros, which is no key");
  } else {
    peer.public_key = *key;
    place = text->place;
  }
}

void read_peer_endpoint(TableReader& reader, Peer& peer) {
  const auto text = reader.text("endpoint");
  if (!text) return;
  peer.endpoint = parse_peer_endpoint(text->value);
  if (peer.endpoint) return;
  reader.problems().add(text->place, in_quotes(text->value) + " is not an endpoint like \"host.example:342\", " +
                                         "\"192.0.2.1:342\" or \"[2001:db8::1]:342\"");
}

void read_allowed_ips(TableReader& reader, Peer& peer, std::vector<Place>& places) {
  for (const auto& [text, place] : reader.texts("allowed_ips")) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) {
      reader.problems().add(place, in_quotes(text) + " is not a network like \"10.1.2.2/32\" or \"fd00:1:2::2/128\"");
      continue;
    }
    peer.allowed_ips.push_back(*prefix);
    places.push_back(place);
  }
}

void read_keepalive(TableReader& reader, Peer& peer) {
  const Node* node = reader.find("persistent_keepalive");
  if (node == nullptr || is_text(*node, "off")) return;
  if (node->kind == Node::Kind::kInteger && node->integer >= 0 && node->integer <= 65535) {
    peer.persistent_keepalive = static_cast<uint16_t>(node->integer);
    return;
  }
  reader.problems().add(node->place, "persistent_keepalive must be seconds from 0 to 65535, or \"off\"");
}

}  // namespace

void read_interface(TableReader reader, const Source& source, Config& config, Places& places) {
  Interface& interface = config.interface;
  const size_t before = reader.problems().count();
  read_addresses(reader, interface, places.interface.addresses);
  const bool list_is_right = reader.problems().count() == before;

  read_name(reader, interface);
  const auto key = read_key<crypto::PrivateKey>(reader, source, {"private_key", "genkey", true});
  if (key) interface.private_key = key->value;
  if (key) places.interface.private_key = key->place;
  const auto port = reader.integer("listen_port", 0, kLargestPort);
  if (port) interface.listen_port = static_cast<uint16_t>(port->value);
  if (port) places.interface.listen_port = port->place;
  read_mtu(reader, interface, places.interface.mtu);
  read_fwmark(reader, interface);
  read_table(reader, interface);
  interface.tun = reader.boolean("tun").value_or(true);
  reader.finish();
  // A list that is not there may have been misspelled.
  const bool section_is_right = reader.problems().count() == before;
  places.knows_all_addresses = list_is_right && (section_is_right || !interface.addresses.empty());
}

void read_peer(TableReader reader, const Source& source, Config& config, Places& places) {
  Peer& peer = config.peers.emplace_back();
  PeerPlaces& place = places.peers.emplace_back();
  peer.place = reader.place();
  const size_t before = reader.problems().count();
  read_allowed_ips(reader, peer, place.allowed_ips);
  const bool list_is_right = reader.problems().count() == before;

  read_peer_name(reader, peer, place.name);
  read_public_key(reader, peer, place.public_key);
  const auto key = read_key<crypto::PresharedKey>(reader, source, {"preshared_key", "genpsk", false});
  if (key) peer.preshared_key = key->value;
  read_peer_endpoint(reader, peer);
  read_keepalive(reader, peer);
  reader.finish();
  const bool section_is_right = reader.problems().count() == before;
  if (!list_is_right || (!section_is_right && peer.allowed_ips.empty())) places.knows_all_allowed_ips = false;
}

}  // namespace adit::config
