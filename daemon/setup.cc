#include "daemon/setup.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "crypto/random.h"
#include "net/ephemeral_ports.h"

namespace adit::daemon {
namespace {

forward::SourceTable source_table(const config::Table& table) {
  forward::SourceTable sources;
  for (const config::TableEntry& entry : table) sources.set(entry.prefix, !entry.excluded);
  return sources;
}

std::optional<Ip> first_address(const config::Interface& interface, bool v4) {
  for (const config::InterfaceAddress& address : interface.addresses) {
    if (address.ip.is_v4() == v4) return address.ip;
  }
  return {};
}

forward::Rule rule_of(const config::Forward& each) {
  forward::Rule rule;
  rule.name = each.name;
  for (const config::Listener& listener : each.listeners) rule.listeners.push_back({listener.listen, listener.to});
  if (each.from) rule.from = source_table(*each.from);
  rule.source = each.source == config::SourceAddress::kKeep ? forward::Source::kKeep : forward::Source::kSnat;
  rule.idle_timeout = each.idle_timeout;
  rule.unanswered_timeout = each.unanswered_timeout;
  rule.max_flows = each.max_flows;
  rule.max_flows_per_source = each.max_flows_per_source;
  rule.max_new_flows_per_source = each.max_new_flows_per_source;
  return rule;
}

}  // namespace

std::optional<Endpoint> numeric_endpoint(const config::PeerEndpoint& endpoint) {
  const std::optional<Ip> ip = Ip::parse(endpoint.host);
  if (!ip) return {};
  return Endpoint{*ip, endpoint.port};
}

tunnel::PeerSettings tunnel_peer(const config::Peer& peer) {
  tunnel::PeerSettings settings;
  settings.public_key = peer.public_key;
  settings.preshared_key = peer.preshared_key;
  if (peer.endpoint) settings.endpoint = numeric_endpoint(*peer.endpoint);
  settings.allowed_ips = peer.allowed_ips;
  settings.persistent_keepalive = seconds(peer.persistent_keepalive);
  return settings;
}

forward::Settings forward_settings(const config::Config& config, forward::PortRange ports, uint64_t seed) {
  forward::Settings settings;
  settings.our_v4 = first_address(config.interface, true);
  settings.our_v6 = first_address(config.interface, false);
  settings.mtu = config.interface.mtu;
  settings.first_snat_port = ports.first;
  settings.last_snat_port = ports.last;
  settings.seed = seed;
  for (const config::Forward& each : config.forwards) {
    if (each.protocol == config::Protocol::kUdp) settings.rules.push_back(rule_of(each));
  }
  return settings;
}

RelaySettings relay_settings(const config::Config& config, uint64_t seed) {
  RelaySettings settings{.rules = {},
                         .our_v4 = first_address(config.interface, true),
                         .our_v6 = first_address(config.interface, false),
                         .interface = config.interface.name,
                         .seed = seed};
  for (const config::Forward& each : config.forwards) {
    if (each.protocol != config::Protocol::kTcp) continue;
    settings.rules.push_back({rule_of(each), each.connect_timeout, each.proxy_protocol});
  }
  return settings;
}

std::vector<config::Listener> udp_listeners(const config::Config& config) {
  std::vector<config::Listener> all;
  for (const config::Forward& each : config.forwards) {
    if (each.protocol != config::Protocol::kUdp) continue;
    all.insert(all.end(), each.listeners.begin(), each.listeners.end());
  }
  return all;
}

forward::Settings forward_settings(const config::Config& config) {
  const EphemeralPorts kernels = ephemeral_ports();
  return forward_settings(config, forward::snat_range_beside({kernels.first, kernels.last}), crypto::random_u64());
}

std::vector<Prefix> routes(const config::Config& config) {
  std::vector<Prefix> all;
  for (const config::Peer& peer : config.peers) {
    for (const Prefix& prefix : peer.allowed_ips) {
      if (prefix.length > 0) all.push_back(prefix);
    }
  }
  std::ranges::sort(all);
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

unsigned largest_super_packet(unsigned mtu) {
  constexpr unsigned kLargestTrain = 65535 - 20 - 8;
  constexpr unsigned kHeaders = 52;  // IPv4, TCP and its time stamps
  const unsigned segments = kLargestTrain / static_cast<unsigned>(mtu + tunnel::kDataOverhead);
  return kHeaders + std::max(segments, 1u) * (std::max(mtu, 2 * kHeaders) - kHeaders);
}

Offloads wanted_offloads() {
  const char* chosen = std::getenv("ADIT_OFFLOAD");
  if (chosen == nullptr) return {};
  try {
    return parse_offloads(chosen);
  } catch (const std::invalid_argument& error) {
    throw std::invalid_argument(std::string("ADIT_OFFLOAD: ") + error.what());
  }
}

size_t wanted_threads() {
  const char* chosen = std::getenv("ADIT_THREADS");
  if (chosen == nullptr) return default_threads(std::thread::hardware_concurrency());
  const std::string_view text = chosen;
  size_t threads = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
  if (error != std::errc() || stop != text.data() + text.size() || threads % 2 != 0 || threads > 2 * kMostWorkers) {
    throw std::invalid_argument("ADIT_THREADS: an even number up to " + std::to_string(2 * kMostWorkers) + ", not '" +
                                std::string(text) + "'");
  }
  return threads;
}

/// More than eight workers would wait for each other's turn with the Core, as far as can be told without such a
/// machine.
size_t default_threads(unsigned processors) noexcept {
  if (processors < 2) return 0;
  return size_t{2} * std::clamp(processors / 2, 1u, 8u);
}

}  // namespace adit::daemon
