#include "home/tunnel.h"

#include <algorithm>

#include "home/quote.h"

namespace adit::home {
namespace {

constexpr const char* kHead = "# Written by adit home.\n";

template <typename Item, typename ToText>
std::string joined(const std::vector<Item>& items, ToText to_text) {
  std::string list;
  for (const Item& item : items) list += (list.empty() ? "" : ", ") + to_text(item);
  return list;
}

/// Home's own default route must not become the tunnel: only what pf sends there goes there.
bool keeps_default_route(const Tunnel& tunnel) {
  return std::ranges::any_of(tunnel.peers, [](const TunnelPeer& peer) {
    return std::ranges::any_of(peer.allowed_ips, [](const Prefix& prefix) { return prefix.length == 0; });
  });
}

/// Routes that an address of the interface does not bring along.
std::vector<Prefix> missing_routes(const Tunnel& tunnel) {
  std::vector<Prefix> routes;
  for (const TunnelPeer& peer : tunnel.peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      const auto holds_it = [&](const auto& address) {
        const Prefix network = Prefix::of(address.value.ip, address.value.prefix_length);
        return network.length <= prefix.length && network.contains(prefix.ip);
      };
      if (prefix.length != 0 && std::ranges::none_of(tunnel.addresses, holds_it)) routes.push_back(prefix);
    }
  }
  return routes;
}

std::string wg_interface(const Tunnel& tunnel) {
  std::string text = "[Interface]\n";
  for (const auto& address : tunnel.addresses) text += "Address = " + address.value.to_string() + "\n";
  if (tunnel.listen_port != 0) text += "ListenPort = " + std::to_string(tunnel.listen_port) + "\n";
  if (tunnel.mtu != 0) text += "MTU = " + std::to_string(tunnel.mtu) + "\n";
  if (keeps_default_route(tunnel)) {
    text += "Table = off\n";
    for (const Prefix& route : missing_routes(tunnel)) {
      const std::string version = route.ip.is_v4() ? "-inet " : "-inet6 ";
      text += "PostUp = route -q -n add " + version + route.to_string() + " -interface %i\n";
    }
  }
  for (const TunnelPeer& peer : tunnel.peers) {
    if (peer.preshared_key_file.empty()) continue;
    text +=
        "PostUp = wg set %i peer " + peer.public_key.to_base64() + " preshared-key " + peer.preshared_key_file + "\n";
  }
  // Last: without it nothing is said to anybody.
  return text + "PostUp = wg set %i private-key " + tunnel.private_key_file + "\n";
}

std::string wg_peer(const TunnelPeer& peer) {
  std::string text = "\n[Peer]\nPublicKey = " + peer.public_key.to_base64() + "\n";
  if (peer.endpoint) text += "Endpoint = " + peer.endpoint->to_string() + "\n";
  if (!peer.allowed_ips.empty()) {
    text += "AllowedIPs = " + joined(peer.allowed_ips, [](const Prefix& prefix) { return prefix.to_string(); }) + "\n";
  }
  if (peer.persistent_keepalive != 0) {
    text += "PersistentKeepalive = " + std::to_string(peer.persistent_keepalive) + "\n";
  }
  return text;
}

std::string adit_interface(const Tunnel& tunnel) {
  std::string text = "[interface]\nname = " + in_double_quotes(tunnel.name) + "\n";
  text += "private_key_file = " + in_double_quotes(tunnel.private_key_file) + "\n";
  if (tunnel.listen_port != 0) text += "listen_port = " + std::to_string(tunnel.listen_port) + "\n";
  text += "addresses = [" +
          joined(tunnel.addresses, [](const auto& address) { return in_double_quotes(address.value.to_string()); }) +
          "]\n";
  if (tunnel.mtu != 0) text += "mtu = " + std::to_string(tunnel.mtu) + "\n";
  if (keeps_default_route(tunnel)) text += "table = \"off\"\n";
  return text;
}

std::string adit_peer(const TunnelPeer& peer) {
  std::string text = "\n[[peer]]\npublic_key = " + in_double_quotes(peer.public_key.to_base64()) + "\n";
  if (!peer.preshared_key_file.empty()) {
    text += "preshared_key_file = " + in_double_quotes(peer.preshared_key_file) + "\n";
  }
  if (peer.endpoint) text += "endpoint = " + in_double_quotes(peer.endpoint->to_string()) + "\n";
  text += "allowed_ips = [" +
          joined(peer.allowed_ips, [](const Prefix& prefix) { return in_double_quotes(prefix.to_string()); }) + "]\n";
  if (peer.persistent_keepalive != 0) {
    text += "persistent_keepalive = " + std::to_string(peer.persistent_keepalive) + "\n";
  }
  return text;
}

/// As those in the tunnel's network stack see it.
std::string inner_file_of(const Tunnel& tunnel) {
  if (tunnel.via == Via::kIfWg) return "/usr/local/etc/wireguard/" + tunnel.name + ".conf";
  return "/usr/local/etc/adit/" + profile_of(tunnel) + ".toml";
}

}  // namespace

std::string on_machine(const HomeConfig& config, const Tunnel& tunnel, const std::string& file) {
  const Jail* jail = tunnel.jail.empty() ? nullptr : find_jail(config, tunnel.jail);
  return jail == nullptr || jail->path == "/" ? file : jail->path + file;
}

std::string tunnel_file_of(const HomeConfig& config, const Tunnel& tunnel) {
  return on_machine(config, tunnel, inner_file_of(tunnel));
}

std::string tunnel_text(const Tunnel& tunnel) {
  const bool is_wg = tunnel.via == Via::kIfWg;
  std::string text = kHead + (is_wg ? wg_interface(tunnel) : adit_interface(tunnel));
  for (const TunnelPeer& peer : tunnel.peers) text += is_wg ? wg_peer(peer) : adit_peer(peer);
  return text;
}

std::string profile_of(const Tunnel& tunnel) { return tunnel.jail.empty() ? tunnel.name : tunnel.jail; }

std::string daemon_command(const Tunnel& tunnel) {
  return "/usr/sbin/daemon -f -S -T adit /usr/local/bin/adit run -c " + inner_file_of(tunnel);
}

}  // namespace adit::home
