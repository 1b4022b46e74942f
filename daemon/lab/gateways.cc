#include "daemon/lab/gateways.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "crypto/x25519.h"
#include "daemon/control.h"
#include "daemon/lab/waiting.h"
#include "daemon/lab/world.h"
#include "net/clock.h"
#include "net/interface.h"

namespace adit::lab {
namespace {

namespace fs = std::filesystem;

constexpr seconds kPatience(10);  // a handshake message that got lost is sent again after five

// The files, with the addresses of world.h.  KEY stands for the other side's public key, SECRET for the own private
// one.

constexpr const char* kVpsConfig = R"([interface]
name = "wg0"
private_key_file = "wg0.key"
listen_port = 342
addresses = ["10.1.2.5/24", "fd00:1:2::5/64"]

[[peer]]
name = "home"
public_key = "KEY"
allowed_ips = ["10.1.2.2/32", "fd00:1:2::2/128"]

[tables]
internet = ["0.0.0.0/0", "::/0", "!10.0.0.0/8", "!172.16.0.0/12", "!192.168.0.0/16",
            "!fc00::/7", "!fe80::/10"]

[[forward]]
name = "factorio"
protocol = "udp"
listen = ["0.0.0.0:34197", "[::]:34197"]
to = "10.1.2.2:34197"
from = "internet"
source = "snat"
)";

constexpr const char* kHomeConfig = R"([interface]
name = "wg0"
private_key_file = "wg0.key"

[[peer]]
name = "vps"
public_key = "KEY"
endpoint = "198.51.100.1:342"
allowed_ips = ["10.1.2.5/32", "fd00:1:2::5/128"]
persistent_keepalive = 25
)";

constexpr const char* kWireguardGoConfig = R"([Interface]
PrivateKey = SECRET

[Peer]
PublicKey = KEY
Endpoint = 198.51.100.1:342
AllowedIPs = 10.1.2.5/32, fd00:1:2::5/128
PersistentKeepalive = 25
)";

/// `text` with the one place where `word` stands replaced.
std::string with(std::string text, const std::string& word, const std::string& value) {
  return text.replace(text.find(word), word.size(), value);
}

void write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path);
  if (!(file << text << std::flush)) throw std::runtime_error("cannot write " + path.string());
}

/// `adit run` in a directory of its own, where its files, its control socket and its log are.
Command adit_run(const std::string& place, const fs::path& directory) {
  return {place + ": adit run",
          {own_program(), "run", "-c", directory / "adit.toml"},
          {{"ADIT_RUN_DIR", directory}},
          directory / "log"};
}

}  // namespace

void require_installed(HomeProgram program) {
  if (program != HomeProgram::kWireguardGo || (is_installed("wireguard-go") && is_installed("wg"))) return;
  throw std::runtime_error("wireguard-go: not installed (apt install wireguard-go wireguard-tools)");
}

Gateways::Gateways(Stage& stage)
    : stage_(stage),
      vps_directory_(stage.directory() / kVps),
      home_directory_(stage.directory() / kHome),
      home_key_(crypto::generate_private_key()) {
  const crypto::PrivateKey vps_key = crypto::generate_private_key();
  vps_public_key_ = crypto::public_key_of(vps_key);
  vps_config_ = with(kVpsConfig, "KEY", crypto::public_key_of(home_key_).to_base64());
  fs::create_directory(vps_directory_);
  fs::create_directory(home_directory_);
  write_file(vps_directory_ / "wg0.key", crypto::key_to_base64(vps_key.bytes()));
  write_file(vps_directory_ / "adit.toml", vps_config_);
}

Duration Gateways::start_vps() {
  const Time start = read_clock().mono;
  stage_.enter(kVps);
  vps_.emplace(adit_run(kVps, vps_directory_));
  wait_for("start of the VPS's gateway", kPatience, [this] { return vps_answers(); });
  return read_clock().mono - start;
}

void Gateways::start_home(HomeProgram program) {
  stage_.enter(kHome);
  switch (program) {
    case HomeProgram::kAdit:
      return start_adit_at_home();
    case HomeProgram::kWireguardGo:
      return start_wireguard_go_at_home();
  }
}

void Gateways::start_adit_at_home() {
  write_file(home_directory_ / "wg0.key", crypto::key_to_base64(home_key_.bytes()));
  write_file(home_directory_ / "adit.toml", with(kHomeConfig, "KEY", vps_public_key_.to_base64()));
  home_.emplace(adit_run(kHome, home_directory_));
}

/// The program and then, as wg-quick does it: keys and peer, interface up, a route into it.
void Gateways::start_wireguard_go_at_home() {
  const fs::path config = home_directory_ / "wg0.conf";
  const fs::path log = home_directory_ / "log";
  write_file(config, with(with(kWireguardGoConfig, "SECRET", crypto::key_to_base64(home_key_.bytes())), "KEY",
                          vps_public_key_.to_base64()));
  home_.emplace(Command{"home: wireguard-go", {"wireguard-go", "--foreground", "wg0"}, {}, log});
  wait_for("start of wireguard-go", kPatience, [this] {
    home_->require_running();
    return fs::exists("/var/run/wireguard/wg0.sock");
  });
  Process({"home: wg setconf", {"wg", "setconf", "wg0", config}, {}, log}).finish(kPatience);
  set_up("wg0");
  add_route("wg0", Prefix::of(ip(kVpsInTunnel), 32), 0);
}

Duration Gateways::wait_for_handshake() {
  const Time start = read_clock().mono;
  try {
    wait_for("handshake", kPatience, [this] { return has_handshake(); });
  } catch (const TookTooLong& error) {
    throw std::runtime_error(std::string(error.what()) + "\nThe VPS's log:\n" + vps_->log() + "Home's log:\n" +
                             home_->log());
  }
  return read_clock().mono - start;
}

void Gateways::show_vps() {
  Process({"adit show", {own_program(), "show", "wg0"}, {{"ADIT_RUN_DIR", vps_directory_}}, {}}).finish(kPatience);
}

/// Its control socket is the last thing that a gateway opens.
bool Gateways::vps_answers() {
  vps_->require_running();
  try {
    daemon::request_show(vps_directory_ / "wg0.sock");
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void Gateways::require_running() {
  vps_->require_running();
  home_->require_running();
}

bool Gateways::has_handshake() {
  require_running();
  const auto status = nlohmann::json::parse(daemon::request_show(vps_directory_ / "wg0.sock"));
  return !status["peers"][0]["latest_handshake"].is_null();
}

}  // namespace adit::lab
