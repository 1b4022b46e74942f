#include "daemon/kit/kit.h"

#include <algorithm>

#include "config/toml_writer.h"
#include "crypto/x25519.h"
#include "daemon/kit/addresses.h"
#include "daemon/kit/home_files.h"

namespace adit::daemon {
namespace {

using config::TomlWriter;

constexpr unsigned kSecret = 0600;

/// Where the gateway's keys are when its text is read.
enum class Keys : uint8_t { kInFiles, kInPlace };

void write_interface(const KitRequest& request, Keys keys, TomlWriter& to) {
  to.section("[interface]");
  to.text("name", request.interface);
  if (keys == Keys::kInPlace) to.secret("private_key", request.gateway_key.bytes());
  if (keys == Keys::kInFiles) {
    to.text("private_key_file", request.interface + ".key", "beside this file; only its owner may read it");
  }
  to.number("listen_port", request.listen_port, "udp; open it in this machine's firewall");
  to.texts("addresses", tunnel_addresses(request, kGatewayHost), "this machine's, in the tunnel");
}

void write_peer(const KitRequest& request, Keys keys, TomlWriter& to) {
  to.comment("The machine at home. It calls first, so its address need not be known here.");
  to.section("[[peer]]");
  to.text("name", "home");
  to.text("public_key", crypto::public_key_of(request.home_key).to_base64());
  const bool has_psk = !request.preshared_key.is_zero();
  if (has_psk && keys == Keys::kInFiles) to.text("preshared_key_file", request.interface + ".psk");
  if (has_psk && keys == Keys::kInPlace) to.secret("preshared_key", request.preshared_key.bytes());
  to.texts("allowed_ips", single_addresses(request, kHomeHost), "home's, in the tunnel");
}

void write_forward(const KitRequest& request, const KitForward& forward, TomlWriter& to) {
  const bool is_udp = forward.protocol == config::Protocol::kUdp;
  const std::string ports = config::to_string(forward.ports);
  to.section("[[forward]]");
  if (!forward.name.empty()) to.text("name", forward.name);
  to.text("protocol", is_udp ? "udp" : "tcp");
  std::vector<std::string> listen = {"0.0.0.0:" + ports};
  if (request.network6) listen.push_back("[::]:" + ports);
  to.texts("listen", listen, "open it in this machine's firewall");
  const std::string home = host_of(request.network, kHomeHost).to_string();
  to.text("to", forward.home_ports.empty() ? home : home + ":" + config::to_string(forward.home_ports),
          request.network6 ? "home; clients of IPv6 get there, too" : "home");
  // As columns, like the lines above.
  to.comment("from = [\"198.51.100.0/24\"]                      # who may come; without it, everybody");
  to.comment(is_udp ? "source = \"keep\"                               # home sees its clients' own addresses, if it "
                      "does what `adit show --home-routes` says"
                    : "proxy_protocol = \"v2\"                         # the service is told its clients' addresses, "
                      "and must expect it");
}

void write_gateway(const KitRequest& request, Keys keys, TomlWriter& to) {
  to.comment("This machine's gateway, made by adit init. What the words mean: man adit.toml");
  to.comment("After a change: adit check, then adit reload.");
  to.blank();
  write_interface(request, keys, to);
  to.blank();
  write_peer(request, keys, to);
  for (const KitForward& forward : request.forwards) {
    to.blank();
    write_forward(request, forward, to);
  }
}

std::string key_file(const crypto::KeyBytes& key) { return crypto::key_to_base64(key) + "\n"; }

std::optional<config::Protocol> protocol_of(std::string_view word) {
  if (word == "udp") return config::Protocol::kUdp;
  if (word == "tcp") return config::Protocol::kTcp;
  return {};
}

}  // namespace

std::optional<std::string> read_forward_option(std::string_view text, KitForward& forward) {
  const size_t slash = text.find('/');
  std::string_view protocol = text.substr(0, slash);
  const size_t colon = protocol.rfind(':');
  if (colon != protocol.npos) {
    forward.name = protocol.substr(0, colon);
    protocol.remove_prefix(colon + 1);
  }
  const auto known = protocol_of(protocol);
  if (slash == text.npos || !known) return "it must be like udp/34197, tcp/80,443 or factorio:udp/34197=34198";
  forward.protocol = *known;
  const std::string_view ports = text.substr(slash + 1);
  const size_t equals = ports.find('=');
  if (auto fault = config::read_ports(ports.substr(0, equals), forward.ports)) return fault;
  if (equals == ports.npos) return {};
  return config::read_ports(ports.substr(equals + 1), forward.home_ports);
}

std::vector<KitFile> make_kit(const KitRequest& request) {
  TomlWriter gateway;
  write_gateway(request, Keys::kInFiles, gateway);
  std::vector<KitFile> files;
  files.push_back({"adit.toml", 0640, gateway.str()});
  files.push_back({request.interface + ".key", kSecret, key_file(request.gateway_key.bytes())});
  const bool has_psk = !request.preshared_key.is_zero();
  if (has_psk) files.push_back({request.interface + ".psk", kSecret, key_file(request.preshared_key.bytes())});
  files.push_back({"home/wg0.conf", kSecret, home_wg_quick_file(request)});
  files.push_back({"home/home.key", kSecret, key_file(request.home_key.bytes())});
  if (has_psk) files.push_back({"home/home.psk", kSecret, key_file(request.preshared_key.bytes())});
  files.push_back({"home/home.toml", 0644, home_toml(request)});
  files.push_back({"home/README.txt", 0644, home_readme(request)});
  return files;
}

void check_kit(const KitRequest& request) {
  TomlWriter gateway;
  write_gateway(request, Keys::kInPlace, gateway);
  config::Config config = config::parse(gateway.str(), "adit.toml", "/nonexistent");
  config::forget_keys(config);
}

std::string next_steps(const KitRequest& request, const std::vector<KitFile>& files,
                       const std::filesystem::path& directory, const std::string& adit_options) {
  const std::string folder = directory.string();
  std::string text = "Written to " + folder + ":\n";
  for (const KitFile& file : files) text += "  " + file.path + "\n";
  text += "\nOpen these ports in this machine's firewall, if it has one:\n  udp " +
          std::to_string(request.listen_port) + "  (the tunnel)\n";
  for (const KitForward& forward : request.forwards) {
    text += (forward.protocol == config::Protocol::kUdp ? "  udp " : "  tcp ") + config::to_string(forward.ports) +
            "  (leads home)\n";
  }
  if (request.forwards.empty()) text += "\nNo port leads home yet: add a [[forward]] to adit.toml (man adit.toml).\n";
  text += "\nNext:\n";
  text += "  1. At home, fetch the kit; then remove it here, as home's private key is in it:\n";
  text += "       scp -rp root@" + in_scp(request.endpoint.host) + ":" + folder + "/home adit-home\n";
  text += "  2. At home, start the tunnel (any WireGuard does; adit-home/README.txt has more ways):\n";
  text += "       sudo install -m 600 adit-home/wg0.conf /etc/wireguard/wg0.conf && sudo wg-quick up wg0\n";
  text += "  3. Here, start the gateway, and look at it from another terminal:\n";
  text += "       sudo adit run" + adit_options + "\n";
  text += "       sudo adit show\n";
  return text;
}

}  // namespace adit::daemon
