// The two ends of the tunnel: `adit run` on the VPS, and at home adit or wireguard-go.
#pragma once

#include <filesystem>
#include <optional>

#include "crypto/keys.h"
#include "daemon/lab/process.h"
#include "daemon/lab/stage.h"

namespace adit::lab {

enum class HomeProgram { kAdit, kWireguardGo };

/// Throws std::runtime_error when what kWireguardGo needs is not installed.
void require_installed(HomeProgram program);

class Gateways {
 public:
  /// Starts nothing yet, but makes the keys and writes the VPS's files into the stage's directory.
  explicit Gateways(Stage& stage);

  /// The VPS's configuration file, as written.
  [[nodiscard]] const std::string& vps_config() const noexcept { return vps_config_; }

  // All below throw std::runtime_error when it goes wrong or takes too long.
  /// Returns when the VPS's gateway is ready, and how long that took.
  Duration start_vps();
  void start_home(HomeProgram program);
  /// Returns when the VPS has a session with home, and how long that took.
  Duration wait_for_handshake();
  /// `adit show` on the VPS, to our own standard output.
  void show_vps();

  /// Throws std::runtime_error with its log if one has ended.
  void require_running();
  [[nodiscard]] pid_t vps_id() const noexcept { return vps_->id(); }
  /// What the VPS's gateway has logged.
  [[nodiscard]] std::string vps_log() const { return vps_->log(); }

 private:
  void start_adit_at_home();
  void start_wireguard_go_at_home();
  [[nodiscard]] bool vps_answers();
  [[nodiscard]] bool has_handshake();

  Stage& stage_;
  std::filesystem::path vps_directory_;
  std::filesystem::path home_directory_;
  crypto::PrivateKey home_key_;
  crypto::PublicKey vps_public_key_;
  std::string vps_config_;
  std::optional<Process> vps_;
  std::optional<Process> home_;
};

}  // namespace adit::lab
