// The companion's configuration file: what one FreeBSD machine at home offers, in which jails, through which tunnel.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"
#include "config/port_list.h"
#include "config/table_reader.h"
#include "crypto/keys.h"
#include "net/addr.h"

namespace adit::home {

using config::InterfaceAddress;
using config::Place;
using config::Placed;
using config::PortList;

/// Every text here has passed one of home/words.h's alphabets, so that none can end a quotation in pf.conf, jail.conf
/// or sh; commands are any printable ASCII and go through home/quote.h.

enum class Via : uint8_t { kIfWg, kAdit };

struct TunnelPeer {
  crypto::PublicKey public_key;
  std::optional<config::PeerEndpoint> endpoint;
  std::vector<Prefix> allowed_ips;
  uint16_t persistent_keepalive = 0;  // seconds, 0: off
  std::string preshared_key_file;     // as private_key_file below; "" when there is none
  Place place;
};

struct Tunnel {
  std::string name = "wg0";
  Via via = Via::kIfWg;
  std::string jail;  // "": on the host
  std::vector<Placed<InterfaceAddress>> addresses;
  std::vector<Placed<Ip>> gateway;  // the other end's own addresses, to which answers to kept sources go
  uint16_t listen_port = 0;         // 0: the kernel chooses
  uint16_t mtu = 0;                 // 0: as via chooses
  std::string private_key_file;     // absolute, as seen where the tunnel is; the key itself is nowhere in a plan
  std::vector<TunnelPeer> peers;
  Place place;
  Place listen_port_place;
};

/// What the machine itself offers.  Without it the companion adds to a firewall that somebody else wrote.
struct Host {
  PortList private_tcp, private_udp;    // to addresses of private networks, at the egress and through the tunnel
  PortList internet_tcp, internet_udp;  // to everybody, at the egress
  bool block = true;                    // what nothing lets in is blocked
  Place place;
};

/// Where to a jail or a bridge's network may go out under the egress's own address.
enum class Nat : uint8_t { kNone, kInternet, kAny };

struct Bridge {
  std::string name;
  std::string clone;  // as if_bridge calls it before it is renamed: "bridge0"
  std::vector<Placed<InterfaceAddress>> addresses;
  Nat nat = Nat::kNone;
  Place place;
};

/// One end of an epair, whose other end (outer_name) is a bridge's member.
struct JailInterface {
  std::string name;
  std::string outer_name;
  std::string bridge;
  std::vector<Placed<InterfaceAddress>> addresses;
  Place place;
};

enum class JailKind : uint8_t { kLoopback, kVnet };

struct Jail {
  std::string name;
  std::string path;
  std::string hostname;
  // Of a loopback jail:
  std::string loopback = "lo1";  // where its addresses are
  std::vector<Placed<Ip>> addresses;
  // Of a VNET jail:
  std::vector<JailInterface> interfaces;
  std::string jib;  // the interface whose bridge jib joins; "": ifconfig does it
  std::vector<Placed<Ip>> default_routers;

  std::vector<std::string> start;  // nothing: its own /etc/rc, if runs_rc
  std::vector<std::string> stop;
  std::string user;                                     // who runs start; "": root
  std::vector<std::pair<std::string, std::string>> rc;  // settings for the jail's own rc.conf
  Place place;
  JailKind kind = JailKind::kLoopback;
  Nat nat = Nat::kInternet;  // of a loopback jail
  bool is_gateway = false;   // a VNET jail that forwards packets between its interfaces
  bool runs_rc = true;
  bool background = false;  // start's last command does not return
  bool devfs = true;
  bool linux = false;
};

struct Redirect {
  std::string name;
  std::string jail;
  PortList ports;
  std::string from_table;                // "internet" or "private"; "" when `from` or anybody
  std::vector<config::TableEntry> from;  // nothing: as from_table says
  Place place;
  Place jail_place;
  uint16_t inside_port = 0;         // of the first port; 0: the same
  std::optional<bool> inet, inet6;  // none: where the jail has an address
  bool tcp = false;
  bool udp = false;
  bool on_egress = true;
  bool on_tunnel = true;
  bool keep = false;  // the service sees the client's own address, and answers go back into the tunnel
};

struct HomeConfig {
  std::string egress = "egress";  // an interface, or a group of them
  std::optional<Host> host;
  std::vector<Tunnel> tunnels;
  std::vector<Bridge> bridges;
  std::vector<Jail> jails;
  std::vector<Redirect> redirects;
};

const Jail* find_jail(const HomeConfig& config, std::string_view name);
const Bridge* find_bridge(const HomeConfig& config, std::string_view name);
/// The tunnels whose interface the host's pf sees.
std::vector<const Tunnel*> host_tunnels(const HomeConfig& config);
/// All of a jail's addresses, without networks.
std::vector<Ip> addresses_of(const Jail& jail);
/// The first address of a version, to which redirects lead.
std::optional<Ip> address_of(const Jail& jail, bool is_v4);

/// Reads and checks a file.  Throws config::ConfigError with every problem at once; config::UnreadableError when the
/// file cannot be read.  No file that it names is opened.
HomeConfig load_home(const std::filesystem::path& file);

/// The same for text already in memory; `file` names it in messages.
HomeConfig parse_home(std::string_view text, const std::string& file);

}  // namespace adit::home
