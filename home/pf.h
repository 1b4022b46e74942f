// What pf is told.  All of it is in anchors below "adit", of which pf.conf has only the calls: "adit/home" for what
// always holds, and "adit/jail-NAME" for what holds while a jail runs.  A table belongs to the anchor that its file is
// loaded into, so each file brings its own.
#pragma once

#include <string>

#include "home/home_config.h"

namespace adit::home {

std::string pf_file();
std::string pf_file_of(const Jail& jail);
/// "adit/jail-NAME".
std::string anchor_of(const Jail& jail);
/// What empties the anchor of a jail, as arguments of pfctl -F.
std::vector<std::string> flushes_of(const HomeConfig& config, const Jail& jail);

/// The calls in pf.conf: before its translation rules, and after its last line.
std::string pf_translation_calls();
std::string pf_filter_calls();

/// The rules of "adit/home".
std::string pf_home_rules(const HomeConfig& config);
/// The rules of a jail's anchor: its redirects; "" when it has none.
std::string pf_jail_rules(const HomeConfig& config, const Jail& jail);

}  // namespace adit::home
