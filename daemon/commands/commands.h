// The subcommands, one file each.  A command returns the process's exit status and throws for what main() reports.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace adit::daemon {

/// Exit statuses (sysexits.h has the last).
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfig = 78;

/// Where the configuration is unless -c says otherwise.
inline constexpr const char* kDefaultConfig = "/etc/adit/adit.toml";

int run(const std::filesystem::path& config, const std::string& log_level);
int check(const std::filesystem::path& config);
int genkey();
int genpsk();
int pubkey();
/// `home`: the program at the tunnel's other end, "adit" or "wireguard-go".
int demo(const std::string& home);
int show(const std::optional<std::string>& interface, bool json);

}  // namespace adit::daemon
