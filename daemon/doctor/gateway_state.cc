#include "daemon/doctor/gateway_state.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace adit::doctor {
namespace {

using Json = nlohmann::json;

template <typename Value>
Value parsed(const Json& text) {
  const auto value = Value::parse(text.get_ref<const std::string&>());
  if (!value) throw std::runtime_error("not an address: " + text.get<std::string>());
  return *value;
}

std::string text_or_empty(const Json& json) { return json.is_null() ? "" : json.get<std::string>(); }

void read_trouble(const Json& json, PeerState& peer) {
  if (const auto old = json.find("old_initiation"); old != json.end()) {
    peer.old_initiation = {old->at("at"), old->at("stamp"), old->at("newest")};
  }
  if (const auto wrong = json.find("wrong_source"); wrong != json.end()) {
    peer.wrong_source = parsed<Ip>(*wrong);
  }
  peer.unconfirmed = json.value("unconfirmed", uint64_t{0});
  peer.forged_responses = json.value("forged_responses", uint64_t{0});
}

PeerState read_peer(const Json& json) {
  PeerState peer;
  peer.name = json.at("name");
  peer.public_key = json.at("public_key");
  if (!json.at("endpoint").is_null()) peer.endpoint = parsed<Endpoint>(json.at("endpoint"));
  for (const Json& prefix : json.at("allowed_ips")) peer.allowed_ips.push_back(parsed<Prefix>(prefix));
  if (!json.at("latest_handshake").is_null()) peer.latest_handshake = json.at("latest_handshake").get<UnixTime>();
  peer.handshake_attempts = json.at("handshake_attempts");
  peer.received_bytes = json.at("received_bytes");
  peer.persistent_keepalive = json.at("persistent_keepalive");
  if (const auto trouble = json.find("trouble"); trouble != json.end()) read_trouble(*trouble, peer);
  return peer;
}

ForwardState read_forward(const Json& json) {
  ForwardState forward;
  forward.name = json.at("name");
  forward.tcp = json.at("protocol") == "tcp";
  forward.to = json.at("to");
  forward.flows = json.at("flows");
  forward.flows_established = json.value("flows_established", uint64_t{0});
  forward.max_flows = json.at("max_flows");
  forward.bytes_in = json.at("bytes_in");
  forward.bytes_out = json.at("bytes_out");
  forward.service_is_reachable = json.value("service_is_reachable", true);
  forward.drops = json.at("drops").get<Drops>();
  return forward;
}

StrangerState read_stranger(const Json& json) {
  StrangerState stranger;
  stranger.drop = json.at("drop");
  stranger.at = json.at("at");
  stranger.from = parsed<Endpoint>(json.at("from"));
  stranger.key = text_or_empty(json.at(stranger.drop == "bad_mac" ? "meant_for" : "public_key"));
  return stranger;
}

}  // namespace

GatewayState read_gateway_state(const std::string& text) {
  const Json json = Json::parse(text);
  const Json& interface = json.at("interface");
  GatewayState gateway;
  gateway.name = interface.at("name");
  gateway.public_key = text_or_empty(interface.at("public_key"));
  gateway.listen_port = interface.at("listen_port");
  for (const Json& address : interface.at("addresses")) {
    const auto& written = address.get_ref<const std::string&>();
    gateway.addresses.push_back(parsed<Ip>(written.substr(0, written.find('/'))));
  }
  gateway.mtu = interface.at("mtu");
  gateway.tun = interface.at("tun");
  for (const Json& peer : json.at("peers")) gateway.peers.push_back(read_peer(peer));
  for (const Json& forward : json.at("forwards")) gateway.forwards.push_back(read_forward(forward));
  for (const Json& stranger : json.value("strangers", Json::array())) {
    gateway.strangers.push_back(read_stranger(stranger));
  }
  gateway.drops = json.at("drops").get<Drops>();
  return gateway;
}

std::string name_of(const PeerState& peer) { return peer.name.empty() ? peer.public_key : peer.name; }

uint64_t count_of(const Drops& drops, const std::string& drop) {
  const auto found = drops.find(drop);
  return found == drops.end() ? 0 : found->second;
}

uint64_t growth_of(const Facts& facts, size_t forward, const std::string& drop) {
  const uint64_t before = count_of(facts.before->forwards[forward].drops, drop);
  const uint64_t after = count_of(facts.after->forwards[forward].drops, drop);
  return after > before ? after - before : 0;  // counting begins anew with another rule of that name
}

std::optional<size_t> peer_of(const GatewayState& gateway, const Ip& ip) {
  std::optional<size_t> found;
  unsigned longest = 0;
  for (size_t i = 0; i < gateway.peers.size(); ++i) {
    for (const Prefix& prefix : gateway.peers[i].allowed_ips) {
      if (!prefix.contains(ip) || (found && prefix.length <= longest)) continue;
      found = i;
      longest = prefix.length;
    }
  }
  return found;
}

std::vector<ServiceOf> services_of(const GatewayState& gateway, const std::optional<config::Config>& config) {
  std::vector<ServiceOf> all;
  for (size_t i = 0; i < gateway.forwards.size(); ++i) {
    const ForwardState& forward = gateway.forwards[i];
    std::optional<Endpoint> service = Endpoint::parse(forward.to);
    for (size_t j = 0; config && !service && j < config->forwards.size(); ++j) {
      const config::Forward& written = config->forwards[j];
      if (written.name == forward.name && written.to == forward.to) service = written.listeners.front().to;
    }
    const std::optional<size_t> peer = service ? peer_of(gateway, service->ip) : std::nullopt;
    if (peer) all.push_back({i, *peer, *service});
  }
  return all;
}

const config::Peer* written_peer(const std::optional<config::Config>& config, const PeerState& peer) {
  if (!config) return nullptr;
  for (const config::Peer& each : config->peers) {
    if (each.public_key.to_base64() == peer.public_key) return &each;
  }
  return nullptr;
}

bool is_called_by_us(const std::optional<config::Config>& config, const PeerState& peer) {
  if (!config) return peer.endpoint.has_value();
  const config::Peer* const written = written_peer(config, peer);
  return written != nullptr && written->endpoint;
}

std::vector<bool> needed_peers(const GatewayState& gateway, const std::optional<config::Config>& config) {
  std::vector<bool> needed;
  bool has_anybody_called = false;
  for (const PeerState& peer : gateway.peers) {
    needed.push_back(is_called_by_us(config, peer));
    has_anybody_called |= peer.latest_handshake.has_value();
  }
  for (const ServiceOf& service : services_of(gateway, config)) needed[service.peer] = true;
  const bool needs_any = std::ranges::find(needed, true) != needed.end();
  if (!needs_any && !has_anybody_called) needed.assign(needed.size(), true);
  return needed;
}

}  // namespace adit::doctor
