// A gateway's configuration and figures, written down.
#pragma once

#include "daemon/status.h"

namespace adit::daemon {

inline crypto::PublicKey key_of(uint8_t byte) {
  crypto::PublicKey key;
  key.bytes.fill(byte);
  return key;
}

inline config::Forward forward_of(const std::string& name, config::Protocol protocol) {
  config::Forward forward;
  forward.name = name;
  forward.protocol = protocol;
  forward.to = "10.1.2.2:5000";
  forward.max_flows = 100;
  return forward;
}

/// A peer with a name and one without; forwards of udp, tcp and udp, in this order.
inline Status some_status() {
  Status status;
  status.config.interface.mtu = 1380;
  status.config.peers.resize(2);
  status.config.peers[0].name = R"(the "new" \home\)";
  status.config.peers[0].public_key = key_of(1);
  status.config.peers[1].public_key = key_of(2);
  status.config.forwards = {forward_of("factorio", config::Protocol::kUdp), forward_of("web", config::Protocol::kTcp),
                            forward_of("other", config::Protocol::kUdp)};
  status.config.forwards[2].source = config::SourceAddress::kKeep;

  Snapshot& snapshot = status.snapshot;
  snapshot.when = {Time(seconds(7)), WallTime(milliseconds(1'700'000'123'456))};
  snapshot.started = WallTime(milliseconds(1'700'000'000'005));
  snapshot.public_key = key_of(3);
  snapshot.peers.resize(2);
  snapshot.peers[0].public_key = key_of(1);
  snapshot.peers[0].last_handshake = WallTime(seconds(1'700'000'100));
  snapshot.peers[0].received_bytes = 18'446'744'073'709'551'615u;
  snapshot.peers[0].sent_bytes = 12;
  snapshot.peers[1].public_key = key_of(2);
  snapshot.peers[1].handshake_attempts = 3;
  snapshot.rules.resize(2);
  snapshot.rules[0].flows = 5;
  snapshot.rules[0].packets_in = 1000;
  snapshot.rules[0].bytes_in = 64000;
  snapshot.rules[0].packets_out = 999;
  snapshot.rules[0].bytes_out = 63936;
  snapshot.rules[0].drops.count(Drop::kNotAllowed, 4);
  snapshot.rules[1].is_unreachable = true;
  snapshot.relayed.resize(1);
  snapshot.relayed[0].flows = 2;
  snapshot.relayed[0].bytes_in = 77;
  snapshot.drops.count(Drop::kNotAllowed, 4);
  snapshot.drops.count(Drop::kBadMac, 9);
  return status;
}

}  // namespace adit::daemon
