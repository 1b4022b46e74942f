// [[tunnel]] and [[tunnel.peer]].
#include "config/values.h"
#include "home/read.h"
#include "home/words.h"

namespace adit::home {
namespace {

constexpr std::string_view kFileWord =
    "a file's path of letters, digits and _ . - /; without a / in front, it is beside the tunnel's configuration";

bool is_file(std::string_view text) { return is_path(text.starts_with('/') ? text : "/" + std::string(text)); }

/// Where the tunnel's configuration is, and key files that are not named in full.
std::string in_directory_of(Via via, const std::string& file) {
  if (file.empty() || file.front() == '/') return file;
  const std::string directory = via == Via::kIfWg ? "/usr/local/etc/wireguard/" : "/usr/local/etc/adit/";
  return directory + file;
}

void read_public_key(TableReader& reader, TunnelPeer& peer) {
  const size_t before = reader.problems().count();
  const auto text = reader.text("public_key");
  if (!text) {
    if (reader.problems().count() == before) reader.problems().add(reader.place(), reader.name() + " needs public_key");
    return;
  }
  // Not shown: it may be a secret key in the wrong place.
  const auto key = crypto::PublicKey::from_base64(text->value);
  if (key && *key != crypto::PublicKey{}) {
    peer.public_key = *key;
    return;
  }
  reader.problems().add(text->place, "public_key must be a key: 44 characters of base64, as wg and adit write it");
}

void read_endpoint(TableReader& reader, TunnelPeer& peer) {
  const auto text = reader.text("endpoint");
  if (!text) return;
  peer.endpoint = config::parse_peer_endpoint(text->value);
  if (peer.endpoint) return;
  reader.problems().add(text->place, config::in_quotes(text->value) +
                                         " is not an endpoint like \"vps.example:342\" or \"192.0.2.1:342\"");
}

TunnelPeer read_peer(TableReader reader, Via via) {
  TunnelPeer peer;
  peer.place = reader.place();
  read_public_key(reader, peer);
  read_endpoint(reader, peer);
  for (const auto& text : reader.texts("allowed_ips")) {
    const auto prefix = Prefix::parse(text.value);
    if (prefix) peer.allowed_ips.push_back(*prefix);
    if (!prefix)
      reader.problems().add(text.place, config::in_quotes(text.value) + " is not a network like \"10.1.2.5/32\"");
  }
  const auto keepalive = reader.integer("persistent_keepalive", 0, 65535);
  if (keepalive) peer.persistent_keepalive = static_cast<uint16_t>(keepalive->value);
  peer.preshared_key_file = in_directory_of(via, read_word(reader, "preshared_key_file", is_file, kFileWord));
  reader.finish();
  return peer;
}

void read_numbers(TableReader& reader, Tunnel& tunnel) {
  const auto port = reader.integer("listen_port", 0, 65535);
  if (port) tunnel.listen_port = static_cast<uint16_t>(port->value);
  if (port) tunnel.listen_port_place = port->place;
  const auto mtu = reader.integer("mtu", 576, 65455);
  if (mtu) tunnel.mtu = static_cast<uint16_t>(mtu->value);
}

}  // namespace

Tunnel read_tunnel(TableReader reader) {
  Tunnel tunnel;
  tunnel.place = reader.place();
  const std::string name = read_word(reader, "name", is_interface, "a letter, then at most 14 letters, digits or _");
  if (!name.empty()) tunnel.name = name;
  tunnel.via = static_cast<Via>(read_choice(reader, "via", {"if_wg", "adit"}, 0));
  tunnel.jail = read_word(reader, "jail", is_jail_name, "a jail's name");
  tunnel.addresses = read_networks(reader, "addresses");
  tunnel.gateway = read_ips(reader, "gateway");
  read_numbers(reader, tunnel);
  tunnel.private_key_file = read_word(reader, "private_key_file", is_file, kFileWord);
  if (tunnel.private_key_file.empty()) tunnel.private_key_file = tunnel.name + ".key";
  tunnel.private_key_file = in_directory_of(tunnel.via, tunnel.private_key_file);
  const size_t before = reader.problems().count();
  for (const Node* peer : reader.tables("peer")) {
    tunnel.peers.push_back(read_peer({*peer, "[[tunnel.peer]]", reader.problems()}, tunnel.via));
  }
  if (tunnel.peers.empty() && reader.problems().count() == before) {
    reader.problems().add(reader.place(), "[[tunnel]] needs a [[tunnel.peer]]");
  }
  reader.finish();
  return tunnel;
}

}  // namespace adit::home
