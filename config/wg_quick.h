// wg-quick's configuration files: what wg-quick(8) and wg(8) read, as a Config, and that as TOML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/toml_writer.h"

namespace adit::config {

/// Something that adit has no word for.
struct Leftover {
  Place place;
  std::string what;    // as written: "DNS = 1.1.1.1"
  std::string advice;  // what to do instead, in adit's words
};

struct WgQuick {
  Config config;         // without a private key when the file has none, which a hook may set
  bool has_mtu = false;  // without, wg-quick asks the route to the endpoint
  std::vector<Leftover> leftovers;
  // Without their "#".  Those right above a section belong to it, as do those within it.
  std::vector<std::string> interface_comments;
  std::vector<std::vector<std::string>> peer_comments;  // one list for each peer
};

/// Reads the text of a file and checks it as the gateway's own configuration is checked.  `file` names it in messages;
/// `interface` is the interface's name, which wg-quick takes from the file's.  Throws ConfigError with every problem at
/// once.
WgQuick parse_wg_quick(std::string_view text, const std::string& file, const std::string& interface);

/// The same as adit.toml, from which parse() reads the same values.  Keys are in it, and what is left over stands in
/// comments.  Without a private key a file is named that is to hold it.
void write_toml(const WgQuick& from, const std::string& file, TomlWriter& to);

}  // namespace adit::config
