// From a document to a HomeConfig: one function per section.  Each value is judged by itself here; check.h judges them
// together.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/problems.h"
#include "config/table_reader.h"
#include "home/home_config.h"

namespace adit::home {

using config::Node;
using config::Problems;
using config::TableReader;

Host read_host(TableReader reader);
Tunnel read_tunnel(TableReader reader);
Bridge read_bridge(TableReader reader, size_t index);
Jail read_jail(TableReader reader);
Redirect read_redirect(TableReader reader);

/// A text of one of home/words.h's alphabets; "" when not given or, with the problem "KEY must be WHAT", not of it.
std::string read_word(TableReader& reader, std::string_view key, bool (*is_right)(std::string_view),
                      std::string_view what);

/// The same for a list of texts.
std::vector<std::string> read_words(TableReader& reader, std::string_view key, bool (*is_right)(std::string_view),
                                    std::string_view what);

/// Like read_word, with a problem also when it is not given.
std::string read_required_word(TableReader& reader, std::string_view key, bool (*is_right)(std::string_view),
                               std::string_view what);

/// "21,80,8000-8010" or an integer.
PortList read_port_list(TableReader& reader, std::string_view key);

std::vector<Placed<InterfaceAddress>> read_networks(TableReader& reader, std::string_view key);
std::vector<Placed<Ip>> read_ips(TableReader& reader, std::string_view key);

/// The number of the choice that is written; `otherwise` when none or, with a problem, something else is.
size_t read_choice(TableReader& reader, std::string_view key, std::initializer_list<std::string_view> choices,
                   size_t otherwise);

Nat read_nat(TableReader& reader, Nat otherwise);

}  // namespace adit::home
