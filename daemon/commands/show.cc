// adit show: what the running gateways are doing, as text or JSON.

#include <ctime>
#include <iostream>
#include <nlohmann/json.hpp>

#include "daemon/commands/commands.h"
#include "daemon/commands/home_routes.h"
#include "daemon/control.h"
#include "daemon/text.h"

namespace adit::daemon {
namespace {

using Json = nlohmann::ordered_json;

std::string joined(const Json& texts) {
  std::string all;
  for (const Json& text : texts) all += (all.empty() ? "" : ", ") + text.get<std::string>();
  return all.empty() ? "(none)" : all;
}

void print_drops(const Json& drops, const char* indent) {
  if (drops.empty()) return;
  std::string text;
  for (const auto& [reason, count] : drops.items()) {
    text += (text.empty() ? "" : ", ") + reason + " " + std::to_string(count.get<uint64_t>());
  }
  std::cout << indent << "drops: " << text << "\n";
}

void print_peer(const Json& peer) {
  const std::string name = peer["name"];
  std::cout << "\npeer: " << (name.empty() ? "" : name + " ") << peer["public_key"].get<std::string>() << "\n";
  if (!peer["endpoint"].is_null()) std::cout << "  endpoint: " << peer["endpoint"].get<std::string>() << "\n";
  std::cout << "  allowed ips: " << joined(peer["allowed_ips"]) << "\n";
  if (peer["latest_handshake"].is_null()) {
    std::cout << "  latest handshake: never\n";
  } else {
    const int64_t now = std::time(nullptr);
    std::cout << "  latest handshake: " << ago_text(now - peer["latest_handshake"].get<int64_t>()) << "\n";
  }
  std::cout << "  transfer: " << size_text(peer["received_bytes"]) << " received, " << size_text(peer["sent_bytes"])
            << " sent\n";
  const int64_t keepalive = peer["persistent_keepalive"];
  if (keepalive > 0) {
    std::cout << "  persistent keepalive: every " << keepalive << (keepalive == 1 ? " second\n" : " seconds\n");
  }
}

void print_forward(const Json& forward) {
  std::cout << "\nforward: " << forward["name"].get<std::string>() << " (" << forward["protocol"].get<std::string>()
            << ")\n";
  std::cout << "  listen: " << joined(forward["listen"]) << "\n";
  std::cout << "  to: " << forward["to"].get<std::string>() << "\n";
  std::cout << "  flows: " << forward["flows"] << " of " << forward["max_flows"] << " (" << forward["flows_opened"]
            << " opened so far)\n";
  if (forward.contains("flows_established")) {
    std::cout << "    " << forward["flows_established"] << " established, " << forward["flows_unanswered"]
              << " unanswered, " << forward["flows_evicted"] << " pushed out so far\n";
  }
  if (forward.contains("service_is_reachable") && !forward["service_is_reachable"].get<bool>()) {
    std::cout << "  service: unreachable, says its host (" << forward["unreachable"] << " times so far)\n";
  }
  const auto packets = [&](const char* key) {
    return forward.contains(key) ? std::to_string(forward[key].get<uint64_t>()) + " packets, " : "";
  };
  std::cout << "  in: " << packets("packets_in") << size_text(forward["bytes_in"])
            << "; out: " << packets("packets_out") << size_text(forward["bytes_out"]) << "\n";
  print_drops(forward["drops"], "  ");
}

void print_gateway(const Json& gateway) {
  const Json& interface = gateway["interface"];
  std::cout << "interface: " << interface["name"].get<std::string>() << "\n";
  const Json& key = interface["public_key"];
  std::cout << "  public key: " << (key.is_null() ? "(none)" : key.get<std::string>()) << "\n";
  std::cout << "  listening port: " << interface["listen_port"] << "\n";
  std::cout << "  addresses: " << joined(interface["addresses"])
            << (interface["tun"].get<bool>() ? "" : " (no tun device)") << "\n";
  print_drops(gateway["drops"], "  ");
  for (const Json& peer : gateway["peers"]) print_peer(peer);
  for (const Json& forward : gateway["forwards"]) print_forward(forward);
}

}  // namespace

int show(const std::optional<std::string>& interface, ShowFormat format) {
  const std::vector<std::string> names = interface ? std::vector<std::string>{*interface} : controlled_interfaces();
  if (names.empty()) {
    std::cerr << "adit: show: no gateway is running (none has a socket in " << control_directory().string()
              << advice_for_user() << ")\n";
    return kExitFailed;
  }
  Json all = Json::array();
  for (const std::string& name : names) all.push_back(Json::parse(request_show(control_path(name))));
  if (format == ShowFormat::kJson) {
    std::cout << (interface ? all.front() : all).dump(2) << "\n";
    return kExitDone;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (i > 0) std::cout << "\n";
    format == ShowFormat::kHomeRoutes ? print_home_routes(all[i]) : print_gateway(all[i]);
  }
  return kExitDone;
}

}  // namespace adit::daemon
