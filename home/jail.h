// What jail(8) is told: one file in /etc/jail.conf.d for each jail.
#pragma once

#include <string>

#include "home/home_config.h"

namespace adit::home {

/// /etc/devfs.rules' number for jails with a tun of their own.
inline constexpr int kTunRuleset = 61;

/// Whether adit runs in a jail, and needs a tun there.
bool has_own_tun(const HomeConfig& config, const Jail& jail);
/// Only a jail with a /dev of its own has rules for what is in it.
bool needs_tun_ruleset(const HomeConfig& config, const Jail& jail);

std::string jail_file_of(const Jail& jail);
std::string jail_text(const HomeConfig& config, const Jail& jail);

/// What a Linux jail mounts; "" for others.
std::string fstab_file_of(const Jail& jail);
std::string fstab_text(const Jail& jail);

}  // namespace adit::home
