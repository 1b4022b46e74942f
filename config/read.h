// From a document to a Config: one function per section.  Each value is judged by itself here; check.h judges them
// together.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/port_list.h"
#include "config/table_reader.h"

namespace adit::config {

/// Where a configuration comes from.
struct Source {
  std::string file;                 // as messages name it
  std::filesystem::path directory;  // where relative key files are
  bool is_open_to_others = false;   // group or others may read or write it: it must not hold keys
};

/// Where the values of a Config stand, in the same order.  Line 0: not given, or wrong and already a problem.
struct InterfacePlaces {
  Place private_key;
  Place listen_port;
  Place mtu;
  std::vector<Place> addresses;
};
struct PeerPlaces {
  Place name;
  Place public_key;
  std::vector<Place> allowed_ips;
};
/// "ADDRESS:PORTS" with its ranges still closed, so that what is wrong with them is said once and not for each port.
struct PlacedPorts {
  Ip ip;
  PortList ports;  // none: `to` is an address alone
  Place place;
};
struct ForwardPlaces {
  Place name;
  Place protocol;                          // of the forward when it is not given
  std::optional<Protocol> known_protocol;  // none: what is written is none
  std::vector<PlacedPorts> listen;         // as Forward::listen
  PlacedPorts to;
};
struct Places {
  InterfacePlaces interface;
  std::vector<PeerPlaces> peers;
  std::vector<ForwardPlaces> forwards;
  std::vector<Place> metrics_listen;
  // False when some were wrong, or misspelled away: then it proves nothing that none of them fits.
  bool knows_all_addresses = true;
  bool knows_all_allowed_ips = true;
};

using Tables = std::map<std::string, Table, std::less<>>;

void read_interface(TableReader reader, const Source& source, Config& config, Places& places);
void read_peer(TableReader reader, const Source& source, Config& config, Places& places);
Tables read_tables(const Node& section, Problems& problems);
/// All but Forward::listeners, which spell_out() makes of places that have been checked.
void read_forward(TableReader reader, const Tables& tables, Config& config, Places& places);

void read_metrics(TableReader reader, Config& config, Places& places);

/// The listeners that a forward without mistakes means.
std::vector<Listener> spell_out(const ForwardPlaces& forward);

/// How a section names one of its keys.
struct KeyRole {
  std::string_view name;       // in place under this name, or in the file named under name + "_file"
  std::string_view generator;  // the subcommand that makes one
  bool is_required;
};
/// `Key` is crypto::PrivateKey or crypto::PresharedKey.
template <typename Key>
std::optional<Placed<Key>> read_key(TableReader& reader, const Source& source, const KeyRole& role);

}  // namespace adit::config
