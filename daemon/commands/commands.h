// The subcommands, one file each.  A command returns the process's exit status and throws for what main() reports.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace adit::daemon {

/// Exit statuses (sysexits.h has the last).
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitConfig = 78;

/// What was wrong with how a command was called; main() ends with kExitUsage.
class UsageError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Where the configuration is unless -c says otherwise.
inline constexpr const char* kDefaultConfig = ADIT_DEFAULT_CONFIG;
/// Where the companion's configuration is unless -c says otherwise.
inline constexpr const char* kDefaultHomeConfig = ADIT_DEFAULT_HOME_CONFIG;

/// adit in wireguard-go's place (device.cc).  What the command line said of it, if it is meant.
struct DeviceRequest {
  enum class Kind : uint8_t { kRun, kVersion, kUsage };
  Kind kind = Kind::kRun;
  bool foreground = false;
  std::string interface;
};
/// `arguments`: argv.  Nothing when it is one of adit's own commands, whose names are `subcommands`, or looks like one
/// that was mistyped.
std::optional<DeviceRequest> device_request(const std::vector<std::string>& arguments,
                                            const std::vector<std::string>& subcommands);
int device(const DeviceRequest& request, const std::vector<std::string>& arguments);

/// `user`: whom it becomes once everything is open; empty: nobody else.
int run(const std::filesystem::path& config, const std::string& log_level, const std::string& user);
int check(const std::filesystem::path& config);
/// adit home: what to do with which configuration on the machine whose files are below `root`.
struct HomeRequest {
  enum class What : uint8_t { kPlan, kApply, kStatus, kRemove };
  What what = What::kPlan;
  std::filesystem::path config = kDefaultHomeConfig;
  std::filesystem::path root = "/";
  bool json = false;
};
int home_command(const HomeRequest& request);
/// adit init: what was said on the command line; what is empty is asked or chosen.
struct InitRequest {
  std::filesystem::path directory = std::filesystem::path(kDefaultConfig).parent_path();
  std::vector<std::string> forwards;  // read_forward_option() (daemon/kit/kit.h), or "none"
  std::string endpoint;
  std::string interface;
  std::string network, network6;
  uint16_t listen_port = 51820;
  bool ipv6 = true;
  bool preshared_key = true;
  bool qr = false;
};
int init(const InitRequest& request);
/// A file of wg-quick's as adit.toml on standard output; on standard error, what adit has no word for.
int import(const std::filesystem::path& file);
int genkey();
int genpsk();
int pubkey();
/// `home`: the program at the tunnel's other end, "adit" or "wireguard-go".
int demo(const std::string& home);
/// Of every gateway when no interface is named.
int reload(const std::optional<std::string>& interface);
/// `time`: in seconds, as each benchmark takes it (daemon/bench/bench.h); `against`: a program, or empty.
struct BenchOutput {
  bool json = false;
  std::filesystem::path svg;  // a file for a drawing of it; empty: none
};
int bench_crypto(const BenchOutput& output, unsigned time);
int bench_tunnel(const BenchOutput& output, unsigned time, unsigned rounds, const std::string& against);
int bench_forward(const BenchOutput& output, unsigned time);
/// adit doctor.  `is_config_meant`: -c was given.
struct DoctorRequest {
  std::filesystem::path config = kDefaultConfig;
  bool is_config_meant = false;
  std::optional<std::string> interface;
  bool json = false;
  double seconds = 2;  // between its two looks at the counters
};
int doctor(const DoctorRequest& request);
/// What is printed of each gateway; kHomeRoutes: what home must do for services that see their clients' addresses.
enum class ShowFormat : uint8_t { kText, kJson, kHomeRoutes };
int show(const std::optional<std::string>& interface, ShowFormat format);
/// adit show --watch, until SIGINT or SIGTERM; `interval` in seconds.
int watch(const std::optional<std::string>& interface, double interval);

}  // namespace adit::daemon
