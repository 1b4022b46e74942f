#include <chrono>

#include "daemon/uapi.h"

namespace adit::daemon {
namespace {

void add(std::string& text, std::string_view key, std::string_view value) {
  text.append(key).append("=").append(value).append("\n");
}

void add(std::string& text, std::string_view key, uint64_t value) { add(text, key, std::to_string(value)); }

void add_key(std::string& text, std::string_view key, const crypto::KeyBytes& value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  text.append(key).append("=");
  for (const uint8_t byte : value) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  text.append("\n");
}

/// With its zone as a number, which is what getaddrinfo() takes whichever namespace it is called in.
std::string endpoint_text(const Endpoint& endpoint) {
  if (endpoint.scope == 0) return endpoint.to_string();
  return "[" + endpoint.ip.to_string() + "%" + std::to_string(endpoint.scope) + "]:" + std::to_string(endpoint.port);
}

void add_peer(std::string& text, const tunnel::PeerStatus& peer) {
  add_key(text, "public_key", peer.public_key.bytes);
  add_key(text, "preshared_key", peer.preshared_key.bytes());
  add(text, "protocol_version", 1);
  if (peer.endpoint) add(text, "endpoint", endpoint_text(*peer.endpoint));
  const auto handshake = peer.last_handshake.time_since_epoch();
  const auto whole = std::chrono::duration_cast<seconds>(handshake);
  add(text, "last_handshake_time_sec", static_cast<uint64_t>(whole.count()));
  add(text, "last_handshake_time_nsec", static_cast<uint64_t>((handshake - whole).count()));
  add(text, "tx_bytes", peer.sent_bytes);
  add(text, "rx_bytes", peer.received_bytes);
  add(text, "persistent_keepalive_interval", static_cast<uint64_t>(peer.persistent_keepalive.count()));
  for (const Prefix& prefix : peer.allowed_ips) add(text, "allowed_ip", prefix.to_string());
}

}  // namespace

std::string device_text(const DeviceStatus& device) {
  std::string text;
  if (!device.private_key.is_zero()) add_key(text, "private_key", device.private_key.bytes());
  if (device.listen_port != 0) add(text, "listen_port", device.listen_port);
  if (device.fwmark != 0) add(text, "fwmark", device.fwmark);
  for (const tunnel::PeerStatus& peer : device.peers) add_peer(text, peer);
  return text;
}

}  // namespace adit::daemon
