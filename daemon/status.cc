#include "daemon/status.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

namespace adit::daemon {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const DropCounters& drops) {
  Json json = Json::object();
  for (size_t i = 0; i < kDropCount; ++i) {
    const auto reason = static_cast<Drop>(i);
    if (drops[reason] > 0) json[std::string(drop_name(reason))] = drops[reason];
  }
  return json;
}

Json interface_json(const config::Interface& interface, const std::optional<crypto::PublicKey>& public_key) {
  Json addresses = Json::array();
  for (const config::InterfaceAddress& address : interface.addresses) addresses.push_back(address.to_string());
  return {{"name", interface.name},
          {"public_key", public_key ? Json(public_key->to_base64()) : Json()},
          {"listen_port", interface.listen_port},
          {"addresses", std::move(addresses)},
          {"mtu", interface.mtu},
          {"tun", interface.tun}};
}

int64_t unix_time(WallTime time) { return std::chrono::floor<seconds>(time).time_since_epoch().count(); }

Json trouble_json(const tunnel::PeerTrouble& trouble) {
  Json json = Json::object();
  if (trouble.old_initiation) {
    json["old_initiation"] = {{"at", unix_time(trouble.old_initiation->at)},
                              {"stamp", unix_time(trouble.old_initiation->stamp)},
                              {"newest", unix_time(trouble.old_initiation->newest)}};
  }
  if (trouble.wrong_source) json["wrong_source"] = trouble.wrong_source->to_string();
  if (trouble.unconfirmed > 0) json["unconfirmed"] = trouble.unconfirmed;
  if (trouble.forged_responses > 0) json["forged_responses"] = trouble.forged_responses;
  return json;
}

Json stranger_json(const tunnel::Stranger& stranger) {
  const char* whose = stranger.why == Drop::kBadMac ? "meant_for" : "public_key";
  return {{"drop", drop_name(stranger.why)},
          {"at", unix_time(stranger.at)},
          {"from", stranger.from.to_string()},
          {whose, stranger.key ? Json(stranger.key->to_base64()) : Json()}};
}

Json peer_json(const std::string& name, const tunnel::PeerStatus& peer) {
  Json allowed_ips = Json::array();
  for (const Prefix& prefix : peer.allowed_ips) allowed_ips.push_back(prefix.to_string());
  const int64_t handshake = unix_time(peer.last_handshake);
  Json json = {{"name", name},
               {"public_key", peer.public_key.to_base64()},
               {"endpoint", peer.endpoint ? Json(peer.endpoint->to_string()) : Json()},
               {"allowed_ips", std::move(allowed_ips)},
               {"latest_handshake", handshake == 0 ? Json() : Json(handshake)},
               {"handshake_attempts", peer.handshake_attempts},
               {"received_bytes", peer.received_bytes},
               {"sent_bytes", peer.sent_bytes},
               {"persistent_keepalive", peer.persistent_keepalive.count()}};
  if (Json trouble = trouble_json(peer.trouble); !trouble.empty()) json["trouble"] = std::move(trouble);
  return json;
}

/// The services of a forward, their ports as ranges: what whoever routes their answers has to name.
Json services_json(const config::Forward& configured) {
  std::vector<Endpoint> services;
  for (const config::Listener& listener : configured.listeners) services.push_back(listener.to);
  std::ranges::sort(services);
  services.erase(std::unique(services.begin(), services.end()), services.end());
  Json json = Json::array();
  for (auto first = services.begin(); first != services.end();) {
    auto last = first;
    const auto continues = [&](const Endpoint& next) { return next.ip == last->ip && next.port == last->port + 1; };
    while (last + 1 != services.end() && continues(last[1])) ++last;
    json.push_back({{"address", first->ip.to_string()}, {"first_port", first->port}, {"last_port", last->port}});
    first = last + 1;
  }
  return json;
}

Json forward_json(const config::Forward& configured, const forward::RuleStats& stats) {
  const bool is_udp = configured.protocol == config::Protocol::kUdp;
  Json json = {{"name", configured.name},
               {"protocol", is_udp ? "udp" : "tcp"},
               {"listen", configured.listen},
               {"to", configured.to}};
  if (configured.source == config::SourceAddress::kKeep) {
    json["source"] = "keep";
    json["services"] = services_json(configured);
  } else if (is_udp) {
    json["source"] = "snat";
  }
  json["flows"] = stats.flows;
  if (is_udp) json["flows_unanswered"] = stats.flows_unanswered;
  if (is_udp) json["flows_established"] = stats.flows_established;
  json["max_flows"] = configured.max_flows;
  json["flows_opened"] = stats.flows_opened;
  if (is_udp) json["flows_evicted"] = stats.flows_evicted;
  if (is_udp) json["packets_in"] = stats.packets_in;
  json["bytes_in"] = stats.bytes_in;
  if (is_udp) json["packets_out"] = stats.packets_out;
  json["bytes_out"] = stats.bytes_out;
  if (is_udp) json["unreachable"] = stats.unreachable;
  if (is_udp) json["service_is_reachable"] = !stats.is_unreachable;
  json["drops"] = to_json(stats.drops);
  return json;
}

}  // namespace

nlohmann::ordered_json status_of(const config::Config& config, const Snapshot& snapshot) {
  std::map<crypto::PublicKey, std::string> names;
  for (const config::Peer& peer : config.peers) names.emplace(peer.public_key, peer.name);
  Json peers = Json::array();
  for (const tunnel::PeerStatus& peer : snapshot.peers) peers.push_back(peer_json(names[peer.public_key], peer));
  Json forwards = Json::array();
  for_each_forward(config, snapshot, [&](const config::Forward& configured, const forward::RuleStats& stats) {
    forwards.push_back(forward_json(configured, stats));
  });
  const auto time = std::chrono::duration_cast<milliseconds>(snapshot.when.wall.time_since_epoch()).count();
  Json json = {{"time", static_cast<double>(time) / 1000},
               {"interface", interface_json(config.interface, snapshot.public_key)},
               {"peers", std::move(peers)},
               {"forwards", std::move(forwards)},
               {"drops", to_json(snapshot.drops)}};
  for (const tunnel::Stranger& stranger : snapshot.strangers) json["strangers"].push_back(stranger_json(stranger));
  return json;
}

}  // namespace adit::daemon
