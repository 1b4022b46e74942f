// adit show --home-routes: what home must do so that answers to clients' own addresses come back through the tunnel.

#include "daemon/commands/home_routes.h"

#include <algorithm>
#include <iostream>
#include <set>
#include <string>
#include <vector>

namespace adit::daemon {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kTable = "1000";  // beside the kernel's own (253-255) and wg-quick's (51820)

/// Consecutive ports of a service that is to see its clients' addresses.
struct Service {
  std::string forward;
  std::string address;
  uint16_t first_port;
  uint16_t last_port;

  [[nodiscard]] bool is_v6() const { return address.find(':') != std::string::npos; }
  /// `separator` as the program that reads it has it.
  [[nodiscard]] std::string ports(char separator) const {
    const std::string first = std::to_string(first_port);
    return first_port == last_port ? first : first + separator + std::to_string(last_port);
  }
};

std::vector<Service> services_of(const Json& gateway) {
  std::vector<Service> services;
  for (const Json& forward : gateway["forwards"]) {
    if (!forward.contains("services")) continue;
    for (const Json& each : forward["services"]) {
      services.push_back({forward["name"], each["address"], each["first_port"], each["last_port"]});
    }
  }
  return services;
}

/// The gateway's first address in the tunnel of an IP version; it has one of each that its services have.
std::string gateway_address(const Json& gateway, bool v6) {
  for (const Json& each : gateway["interface"]["addresses"]) {
    const std::string text = each;
    if ((text.find(':') != std::string::npos) == v6) return text.substr(0, text.find('/'));
  }
  return "";
}

bool has_version(const std::vector<Service>& services, bool v6) {
  return std::any_of(services.begin(), services.end(), [&](const Service& each) { return each.is_v6() == v6; });
}

/// The rules by which what a service's host says of it by ICMP comes through the tunnel, one for each address.
void print_linux_errors(const std::vector<Service>& services) {
  std::cout << "# For adit show to tell when a service is gone; pings from its address then go this way, too:\n";
  std::set<std::string> addresses;
  for (const Service& service : services) {
    if (!addresses.insert(service.address).second) continue;
    std::cout << "#   " << (service.is_v6() ? "ip -6" : "ip") << " rule add priority 1001 from " << service.address
              << " ipproto " << (service.is_v6() ? "ipv6-icmp" : "icmp") << " lookup " << kTable << "\n";
  }
}

void print_linux(const std::vector<Service>& services, const std::string& interface) {
  std::cout << "# Home is Linux: routes of their own for the answers.  What leaves by another route than the default\n"
               "# one, such as to players in home's own network, goes as before.\n";
  for (const bool v6 : {false, true}) {
    if (!has_version(services, v6)) continue;
    const std::string ip = v6 ? "ip -6 " : "ip ";
    std::cout << ip << "route add default dev " << interface << " table " << kTable << "\n";
    std::cout << ip << "rule add priority 1000 lookup main suppress_prefixlength 0\n";
    for (const Service& service : services) {
      if (service.is_v6() != v6) continue;
      const std::string answers = " ipproto udp sport " + service.ports('-') + " lookup " + kTable + "\n";
      std::cout << ip << "rule add priority 1001 from " << service.address << answers;
      // A socket bound to no address has none yet when its answer's route is looked up.
      std::cout << ip << "rule add priority 1001 iif lo" << answers;
    }
  }
  std::cout
      << "# Rules with \"iif lo\" are for services that run on home itself and listen on all its addresses.\n"
         "# From machines behind home, answers in fragments are found only if home tracks connections (ct of nft).\n";
  print_linux_errors(services);
}

void print_pf(const std::vector<Service>& services, const Json& gateway, const std::string& interface) {
  std::cout << "# Home has pf: in pf.conf.\n";
  for (const Service& service : services) {
    std::cout << "pass in on " << interface << " reply-to (" << interface << " "
              << gateway_address(gateway, service.is_v6()) << ") " << (service.is_v6() ? "inet6" : "inet")
              << " proto udp to " << service.address << " port " << service.ports(':') << " keep state\n";
  }
}

}  // namespace

void print_home_routes(const Json& gateway) {
  const std::string interface = gateway["interface"]["name"];
  const std::vector<Service> services = services_of(gateway);
  if (services.empty()) {
    std::cout << "# " << interface << ": no forward has source = \"keep\", so home needs no routes for answers.\n";
    return;
  }
  std::cout << "# " << interface << ": services that see their clients' own addresses (source = \"keep\"):\n";
  for (const Service& each : services) {
    std::cout << "#   " << each.forward << ": " << each.address << " port " << each.ports('-') << "\n";
  }
  std::cout << "# Home must send their answers back through the tunnel.  " << interface
            << " stands for home's interface here, too.\n"
               "#\n"
               "# Home's WireGuard configuration: the gateway may send from any address, and no other traffic goes its\n"
               "# way (Table is wg-quick's).\n"
               "#   [Interface]\n"
               "#   Table = off\n"
               "#   [Peer]\n"
               "#   AllowedIPs = 0.0.0.0/0, ::/0\n"
               "#\n";
  print_linux(services, interface);
  std::cout << "#\n";
  print_pf(services, gateway, interface);
}

}  // namespace adit::daemon
