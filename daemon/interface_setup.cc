#include "daemon/interface_setup.h"

#include <functional>
#include <system_error>
#include <vector>

#include "daemon/difference.h"
#include "daemon/log.h"
#include "daemon/setup.h"
#include "net/interface.h"

namespace adit::daemon {
namespace {

struct Route {
  Prefix destination;
  uint32_t table;
  auto operator<=>(const Route&) const noexcept = default;
};

std::vector<Route> routes_of(const config::Config& config) {
  std::vector<Route> all;
  if (!config.interface.add_routes) return all;
  for (const Prefix& destination : routes(config)) all.push_back({destination, config.interface.table});
  return all;
}

void add_addresses(const config::Interface& interface) {
  for (const config::InterfaceAddress& each : interface.addresses) {
    add_address(interface.name, each.ip, each.prefix_length);
  }
}

void add_routes(const config::Config& config) {
  for (const Route& each : routes_of(config)) add_route(config.interface.name, each.destination, each.table);
}

/// Does what can be done.
void try_to(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::system_error& error) {
    log::warn("{}", error.what());
  }
}

/// What `from` has and `to` has not.
void remove_rest(const config::Config& from, const config::Config& to) {
  const std::string& name = from.interface.name;
  for (const Route& route : only_in(routes_of(from), routes_of(to))) {
    try_to([&] { remove_route(name, route.destination, route.table); });
  }
  for (const config::InterfaceAddress& address : only_in(from.interface.addresses, to.interface.addresses)) {
    try_to([&] { remove_address(name, address.ip, address.prefix_length); });
  }
}

}  // namespace

void set_up_interface(const config::Config& config) {
  const config::Interface& wanted = config.interface;
  set_no_automatic_addresses(wanted.name);
  set_mtu(wanted.name, wanted.mtu);
  add_addresses(wanted);
  set_up(wanted.name);
  add_routes(config);
}

bool changes_interface(const config::Config& from, const config::Config& to) {
  const auto differ = [](const auto& one, const auto& other) {
    return !only_in(one, other).empty() || !only_in(other, one).empty();
  };
  return to.interface.tun &&
         (from.interface.mtu != to.interface.mtu || differ(from.interface.addresses, to.interface.addresses) ||
          differ(routes_of(from), routes_of(to)));
}

void change_interface(const config::Config& from, const config::Config& to) {
  try {
    if (from.interface.mtu != to.interface.mtu) set_mtu(to.interface.name, to.interface.mtu);
    add_addresses(to.interface);
    add_routes(to);
  } catch (const std::system_error&) {
    remove_rest(to, from);
    if (from.interface.mtu != to.interface.mtu) try_to([&] { set_mtu(from.interface.name, from.interface.mtu); });
    throw;
  }
  remove_rest(from, to);
  // With an address the kernel may have taken others of its network, and routes.
  try_to([&] { add_addresses(to.interface); });
  try_to([&] { add_routes(to); });
}

}  // namespace adit::daemon
