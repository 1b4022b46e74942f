// The gateway's configuration file: what it may say, as data, and how it is read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/keys.h"
#include "net/addr.h"
#include "net/time.h"

namespace adit::config {

/// A place in a configuration file; both count from 1, 0 when there is none.
struct Place {
  uint32_t line = 0;
  uint32_t column = 0;
};

struct Problem {
  Place place;
  std::string text;
};

/// What is said of a peer's public_key that is a key of the interface's: for whoever tells that from other mistakes.
inline constexpr const char* kIsOwnPublicKey = "this is the interface's own public key, not the peer's";
inline constexpr const char* kIsOwnPrivateKey = "this is the interface's private key, not the peer's public key";

/// Everything that is wrong with a file, in the order of its lines.  what() is one "file:line:column: text" per line.
class ConfigError : public std::runtime_error {
 public:
  ConfigError(const std::string& file, std::vector<Problem> problems);
  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }

 private:
  std::vector<Problem> problems_;
};

/// An interface address with the length of its network: "10.1.2.5/24".
struct InterfaceAddress {
  Ip ip;
  uint8_t prefix_length = 0;
  [[nodiscard]] std::string to_string() const;
  auto operator<=>(const InterfaceAddress&) const noexcept = default;
};

struct Interface {
  std::string name = "wg0";
  crypto::PrivateKey private_key;
  uint16_t listen_port = 0;  // 0: the kernel chooses
  std::vector<InterfaceAddress> addresses;
  uint16_t mtu = 1420;
  uint32_t fwmark = 0;     // 0: none
  uint32_t table = 0;      // routing table for the peers' allowed IPs; 0: the main one
  bool add_routes = true;  // table = "off" clears it
  bool tun = true;         // false: no tun device; only forwards use the tunnel
};

/// Where a peer is reached: an address, or a name to look up.
struct PeerEndpoint {
  std::string host;  // as written: a name or an address without brackets
  uint16_t port = 0;
  /// With brackets around what has colons.
  [[nodiscard]] std::string to_string() const;
  bool operator==(const PeerEndpoint&) const noexcept = default;
};

struct Peer {
  std::string name;  // "" when not given
  crypto::PublicKey public_key;
  crypto::PresharedKey preshared_key;
  std::optional<PeerEndpoint> endpoint;
  std::vector<Prefix> allowed_ips;
  uint16_t persistent_keepalive = 0;  // seconds, 0: off
  Place place;
};

/// One entry of a table, with pf's meaning: the longest prefix that holds an address decides.
struct TableEntry {
  Prefix prefix;
  bool excluded = false;  // written with "!"
};
using Table = std::vector<TableEntry>;

enum class Protocol : uint8_t { kUdp, kTcp };

/// One address and port that clients use, and the service behind it.
struct Listener {
  Endpoint listen;
  Endpoint to;
  bool operator==(const Listener&) const noexcept = default;
};

/// Whom the service sees: the gateway's tunnel address, or the client's own address.
enum class SourceAddress : uint8_t { kSnat, kKeep };

/// The header that tells a TCP service the client's address, if any (haproxy's PROXY protocol).
enum class ProxyProtocol : uint8_t { kNone, kV1, kV2 };

struct Forward {
  std::string name;
  Protocol protocol = Protocol::kUdp;
  std::vector<std::string> listen;  // as written
  std::string to;                   // as written
  std::vector<Listener> listeners;  // what both mean, ranges and lists spelled out
  std::optional<Table> from;        // who may use it; none: anyone
  SourceAddress source = SourceAddress::kSnat;
  Duration idle_timeout = seconds(180);       // udp; 2 hours by default for tcp
  Duration unanswered_timeout = seconds(30);  // udp
  Duration connect_timeout = seconds(10);     // tcp
  ProxyProtocol proxy_protocol = ProxyProtocol::kNone;
  uint32_t max_flows = 4096;  // for tcp: connections, here and below
  // For each source, which is an IPv4 address or an IPv6 /64:
  uint32_t max_flows_per_source = 64;
  uint32_t max_new_flows_per_source = 0;  // opened in a second; 0: any number
  Place place;
};

/// Who may look at the gateway without asking it: metrics and the status page.
struct Metrics {
  std::vector<Endpoint> listen;  // loopback addresses; none: nobody
};

struct Config {
  Interface interface;
  std::vector<Peer> peers;
  std::vector<Forward> forwards;
  Metrics metrics;
};

/// Wipes every secret in it.
void forget_keys(Config& config) noexcept;

/// Reads and checks a file.  Relative key files are looked up beside it; a key file that others may read is refused.
/// Throws ConfigError with every problem at once; UnreadableError (config/unreadable.h) when there is no reading it.
Config load(const std::filesystem::path& file);

/// The same for text already in memory.  `file` names it in messages, `directory` is where relative key files are.
Config parse(std::string_view text, const std::string& file, const std::filesystem::path& directory);

}  // namespace adit::config
