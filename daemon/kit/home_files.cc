#include "daemon/kit/home_files.h"

#include "config/toml_writer.h"
#include "crypto/x25519.h"
#include "daemon/kit/addresses.h"

namespace adit::daemon {
namespace {

constexpr unsigned kKeepalive = 25;  // seconds; keeps the door of home's router open

std::string joined(const std::vector<std::string>& texts) {
  std::string list;
  for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + text;
  return list;
}

void add_key(std::string& text, const char* name, const crypto::KeyBytes& key) {
  std::string base64 = crypto::key_to_base64(key);
  text += name;
  text += " = ";
  text += base64;
  text += "\n";
  config::wipe_text(base64);
}

/// An example to take the "#" from, for the first of the ports.
void write_jail_example(const KitRequest& request, config::TomlWriter& to) {
  if (request.forwards.empty()) return;
  const KitForward& forward = request.forwards.front();
  const config::PortList& ports = forward.home_ports.empty() ? forward.ports : forward.home_ports;
  const std::string protocol = forward.protocol == config::Protocol::kUdp ? "udp" : "tcp";
  to.blank();
  to.comment("A jail, and the ports that lead to it. More examples are in adit's docs/home.");
  to.comment("[[jail]]");
  to.comment("name = \"service\"");
  to.comment("path = \"/jails/service\"");
  to.comment("addresses = [\"127.0.1.1\"]");
  to.comment("start = \"/usr/local/bin/service\"");
  to.comment("[[redirect]]");
  to.comment("name = \"service\"");
  to.comment("protocol = \"" + protocol + "\"");
  to.comment("ports = \"" + config::to_string(ports) + "\"");
  to.comment("jail = \"service\"");
}

}  // namespace

std::string home_wg_quick(const KitRequest& request) {
  std::string text;
  text.reserve(4096);  // at once: a text that grows would leave copies of the key behind
  text += "[Interface]\n";
  add_key(text, "PrivateKey", request.home_key.bytes());
  text += "Address = " + joined(tunnel_addresses(request, kHomeHost)) + "\n\n[Peer]\n";
  text += "PublicKey = " + crypto::public_key_of(request.gateway_key).to_base64() + "\n";
  if (!request.preshared_key.is_zero()) add_key(text, "PresharedKey", request.preshared_key.bytes());
  text += "Endpoint = " + request.endpoint.to_string() + "\n";
  text += "AllowedIPs = " + joined(single_addresses(request, kGatewayHost)) + "\n";
  text += "PersistentKeepalive = " + std::to_string(kKeepalive) + "\n";
  return text;
}

std::string home_wg_quick_file(const KitRequest& request) {
  std::string body = home_wg_quick(request);
  std::string text;
  text.reserve(4096);
  text += "# Home's end of the tunnel, for any WireGuard. It holds home's private key.\n";
  text += body;
  config::wipe_text(body);
  return text;
}

std::string home_toml(const KitRequest& request) {
  config::TomlWriter to;
  to.comment("Home's end of the tunnel for `adit home` on FreeBSD, which also makes jails: man adit-home");
  to.comment("The key files go to /usr/local/etc/wireguard first; README.txt has the commands.");
  to.blank();
  to.section("[[tunnel]]");
  to.text("name", "wg0");
  to.texts("addresses", tunnel_addresses(request, kHomeHost));
  to.text("private_key_file", "home.key");
  to.section("[[tunnel.peer]]");
  to.text("public_key", crypto::public_key_of(request.gateway_key).to_base64(), "the gateway's");
  if (!request.preshared_key.is_zero()) to.text("preshared_key_file", "home.psk");
  to.text("endpoint", request.endpoint.to_string());
  to.texts("allowed_ips", single_addresses(request, kGatewayHost));
  to.number("persistent_keepalive", kKeepalive);
  write_jail_example(request, to);
  return to.str();
}

std::string home_readme(const KitRequest& request) {
  const std::string gateway = host_of(request.network, kGatewayHost).to_string();
  std::string text =
      "Home's end of the tunnel to " + request.endpoint.host +
      ", made by adit init. Take one of these ways, and keep the\n"
      "files to yourself: with wg0.conf or home.key anybody is home.\n"
      "\n"
      "Linux, with wireguard-tools:\n"
      "    sudo install -m 600 wg0.conf /etc/wireguard/wg0.conf\n"
      "    sudo wg-quick up wg0                        # at each boot: sudo systemctl enable wg-quick@wg0\n"
      "\n"
      "FreeBSD, with wireguard-tools:\n"
      "    install -m 600 wg0.conf /usr/local/etc/wireguard/wg0.conf\n"
      "    sysrc wireguard_enable=YES wireguard_interfaces=wg0 && service wireguard start\n"
      "\n"
      "FreeBSD, with jails by adit home (look at the plan before you apply it):\n";
  text += request.preshared_key.is_zero() ? "    install -m 600 home.key /usr/local/etc/wireguard/\n"
                                          : "    install -m 600 home.key home.psk /usr/local/etc/wireguard/\n";
  text +=
      "    install -m 600 home.toml /usr/local/etc/adit/home.toml\n"
      "    adit home plan\n"
      "    adit home apply\n"
      "\n"
      "Anything else that speaks WireGuard, such as a phone: import wg0.conf.\n"
      "\n"
      "Then `ping " +
      gateway + "` is answered by the gateway, and on the gateway `adit show` has a handshake.\n";
  if (request.network6) {
    text += "A machine without IPv6: take the address of fd... out of Address and AllowedIPs.\n";
  }
  return text;
}

}  // namespace adit::daemon
