// What `adit doctor` looks at: gathered once (gather.h), then judged without I/O (diagnose.h).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "net/addr.h"

namespace adit::doctor {

using UnixTime = int64_t;                       // seconds
using Drops = std::map<std::string, uint64_t>;  // by name (net/drop.h)

/// Sessions end after three minutes: whoever was not heard from for longer has none.
constexpr UnixTime kSessionAge = 190;

// What a running gateway says of itself (daemon/status.h).

struct PeerState {
  std::string name;  // "" without one
  std::string public_key;
  std::optional<Endpoint> endpoint;
  std::vector<Prefix> allowed_ips;
  std::optional<UnixTime> latest_handshake;
  uint64_t handshake_attempts = 0;
  uint64_t received_bytes = 0;
  uint64_t persistent_keepalive = 0;  // seconds

  // Since the last handshake (tunnel/trouble.h).
  struct OldInitiation {
    UnixTime at = 0;      // by our clock
    UnixTime stamp = 0;   // by the peer's
    UnixTime newest = 0;  // by the peer's, earlier
  };
  std::optional<OldInitiation> old_initiation;
  std::optional<Ip> wrong_source;
  uint64_t unconfirmed = 0;
  uint64_t forged_responses = 0;
};

struct ForwardState {
  std::string name;
  bool tcp = false;
  std::string to;  // as written
  uint64_t flows = 0;
  uint64_t flows_established = 0;
  uint64_t max_flows = 0;
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  bool service_is_reachable = true;
  Drops drops;
};

struct StrangerState {
  std::string drop;  // "bad_mac" or "unknown_peer"
  UnixTime at = 0;
  Endpoint from;
  std::string key;  // bad_mac: of our peer whom it was meant for; unknown_peer: the sender's; "" when nobody knows
};

struct GatewayState {
  std::string name;
  std::string public_key;  // "" without one
  uint16_t listen_port = 0;
  std::vector<Ip> addresses;
  uint16_t mtu = 0;
  bool tun = true;
  std::vector<PeerState> peers;
  std::vector<ForwardState> forwards;
  std::vector<StrangerState> strangers;
  Drops drops;
};

// What was tried.

/// A port of the configuration's that cannot be bound.
struct PortFault {
  std::string of;  // "listen_port", or a forward's name
  Endpoint endpoint;
  bool tcp = false;
  int error = 0;       // errno
  std::string holder;  // "dnsmasq (pid 812)"; "" when it cannot be told
};

/// Where a peer is called: a name looked up, if it has one, and a byte sent there.
struct EndpointProbe {
  size_t peer = 0;            // of GatewayState::peers
  std::string name;           // "" for an address
  std::string lookup_error;   // "" when it was found
  std::vector<Ip> addresses;  // that the name has
  int send_error = 0;         // errno that came back, 0 for silence
};

/// An address behind the tunnel, asked by ICMP echo.
struct PingProbe {
  size_t peer = 0;
  Ip to;
  int error = 0;  // errno: could not be asked
  bool answered = false;
  std::chrono::microseconds round_trip{0};
  std::optional<uint16_t> largest;  // bytes of the largest packet that came back, when one as large as the MTU did not
};

/// A forward's service, asked from this machine: an empty datagram, or a connection that is closed at once.
struct ServiceProbe {
  enum class Outcome : uint8_t { kSilent, kAnswers, kRefused, kUnreachable };
  size_t forward = 0;  // of GatewayState::forwards
  size_t peer = 0;
  Endpoint to;
  Outcome outcome = Outcome::kSilent;
};

/// What the machine lets this process do.
struct Machine {
  bool may_administer = true;  // addresses, routes, tun devices
  int tun_error = 0;           // errno of opening the tun device
  bool interface_exists = false;
  /// A file that is younger than the clock says it can be.
  struct NewerFile {
    std::string path;
    UnixTime changed = 0;
  };
  std::optional<NewerFile> newer_file;
  std::optional<bool> clock_is_synchronized;  // none: nobody knows
};

/// How to do things here, in the system's own commands.
struct Advice {
  std::string open_port;   // with PORT and PROTOCOL in it
  std::string who_has;     // with PORT in it
  std::string load_tun;    // where there is no tun device
  std::string start;       // the gateway, with FILE in it
  std::string clock_sync;  // "" when there is no one way
};

struct Facts {
  std::string interface;
  std::string config_file;                // "" when none is known
  std::optional<config::Config> config;   // without keys
  std::vector<config::Problem> problems;  // why there is no config
  UnixTime now = 0;
  int control_error = 0;               // errno of asking a gateway; ENOENT and ECONNREFUSED: none runs
  std::optional<GatewayState> before;  // with `after`: some seconds apart
  std::optional<GatewayState> after;
  std::vector<PortFault> ports;          // where no gateway runs
  std::vector<EndpointProbe> endpoints;  // of peers that were not heard from
  std::vector<PingProbe> pings;
  std::vector<ServiceProbe> services;
  Machine machine;
  Advice advice;
};

}  // namespace adit::doctor
