// The tunnel's own configuration: wg-quick's wg0.conf, or adit's adit.toml; on the host or below a jail's path.
//
// Neither holds a secret: both name the key's file, and so no plan has to be kept from anybody's eyes.
#pragma once

#include <string>

#include "home/home_config.h"

namespace adit::home {

/// As the machine knows it, not the jail.
std::string tunnel_file_of(const HomeConfig& config, const Tunnel& tunnel);
std::string tunnel_text(const Tunnel& tunnel);

/// Where a file named inside a tunnel's configuration is on the machine.
std::string on_machine(const HomeConfig& config, const Tunnel& tunnel, const std::string& file);

/// What rc.d/adit calls the configuration: "NAME" of NAME.toml.
std::string profile_of(const Tunnel& tunnel);

/// Starts adit in a jail that has no rc to do it.
std::string daemon_command(const Tunnel& tunnel);

}  // namespace adit::home
