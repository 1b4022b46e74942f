// What rc(8) is told: lines of rc.conf, on the machine and in jails, and devfs.rules.
#pragma once

#include <string>

#include "home/home_config.h"

namespace adit::home {

/// Lists of rc.conf are added to and never narrowed: others have interfaces and jails, too.
std::string rc_conf_text(const HomeConfig& config);
/// The lines for a jail's own rc.conf; "" when it has no rc, or nothing to say to it.
std::string jail_rc_conf_text(const HomeConfig& config, const Jail& jail);
/// "" when no jail needs any.
std::string devfs_rules_text(const HomeConfig& config);

/// Whether the machine forwards packets of an IP version between its interfaces.
bool forwards(const HomeConfig& config, bool is_v4);
/// Whether pf has anything to do for us.
bool needs_pf(const HomeConfig& config);
/// The loopbacks that must be made: "lo1".  lo0 is always there.
std::vector<std::string> cloned_loopbacks(const HomeConfig& config);

}  // namespace adit::home
