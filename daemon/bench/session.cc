#include "daemon/bench/session.h"

#include "crypto/x25519.h"
#include "daemon/control.h"
#include "daemon/doctor/machine.h"
#include "daemon/lab/waiting.h"
#include "daemon/lab/world.h"
#include "net/interface.h"

namespace adit::bench {

namespace fs = std::filesystem;
using lab::ip;

/// One of the two.  The ends' names are different because their control sockets are in one directory.
struct Session::End {
  const char* place;
  const char* interface;
  const char* on_cable;
  const char* in_tunnel;
  bool calls;
};

namespace {

constexpr seconds kPatience(10);  // a handshake message that got lost is sent again after five
constexpr unsigned kMtu = 1420;
constexpr uint16_t kPort = 51820;
constexpr const char* kNearOnCable = "192.0.2.1";
constexpr const char* kFarOnCable = "192.0.2.2";
constexpr const char* kNearInTunnel = "10.9.0.1";

/// Where wireguard-go has it, and nothing else can be: the stage's /var/run is its own.
constexpr const char* kControlDirectory = "/var/run/wireguard";

std::string hex(const crypto::KeyBytes& key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : key) text.append({kDigits[byte >> 4], kDigits[byte & 15]});
  return text;
}

void plug_in(lab::Stage& stage, const char* place, const char* towards, const char* address) {
  stage.enter(place);
  add_address(lab::cable_to(towards), ip(address), 24);
  set_up(lab::cable_to(towards));
}

fs::path control_of(const char* interface) { return fs::path(kControlDirectory) / (std::string(interface) + ".sock"); }

bool has_handshake(const char* interface) {
  constexpr std::string_view kKey = "last_handshake_time_sec=";
  const std::string answer = daemon::ask_gateway(control_of(interface), "get=1\n\n").text;
  const size_t at = answer.find(kKey);
  return at != answer.npos && answer[at + kKey.size()] != '0';
}

}  // namespace

void furnish_two(lab::Stage& stage) {
  for (const char* place : {kNear, kFar}) stage.add(place);
  stage.connect(kNear, kFar);
  plug_in(stage, kNear, kFar, kNearOnCable);
  plug_in(stage, kFar, kNear, kFarOnCable);
}

Session::Session(lab::Stage& stage, const std::string& program) : stage_(stage), program_(program) {
  const End near = {kNear, "bench0", kNearOnCable, kNearInTunnel, true};
  const End far = {kFar, "bench1", kFarOnCable, kFarInTunnel, false};
  const crypto::PrivateKey near_key = crypto::generate_private_key();
  const crypto::PrivateKey far_key = crypto::generate_private_key();
  start(near);
  start(far);
  configure(far, far_key, near, crypto::public_key_of(near_key));
  wait_until("port of " + program_, [] { return !doctor::holder_of(kPort, false).empty(); });
  configure(near, near_key, far, crypto::public_key_of(far_key));
  wait_until("handshake of " + program_, [&] { return has_handshake(far.interface); });
}

void Session::start(const End& end) {
  stage_.enter(end.place);
  const fs::path log = stage_.directory() / (std::string(end.place) + ".log");
  fs::remove(log);  // an earlier session's
  processes_.push_back(std::make_unique<lab::Process>(
      lab::Command{program_,
                   {program_, "-f", end.interface},
                   {{"ADIT_RUN_DIR", kControlDirectory}, {"LOG_LEVEL", "error"}, {"WG_PROCESS_FOREGROUND", "1"}},
                   log}));
  wait_until("start of " + program_, [&] { return daemon::is_served(control_of(end.interface)); });
}

/// As `wg setconf` and `ip` do it.  Only the near end calls, once the far one listens: messages that cross, or that
/// come too early, are of no use, and the next ones follow five seconds later.
void Session::configure(const End& end, const crypto::PrivateKey& key, const End& other,
                        const crypto::PublicKey& other_key) {
  std::string question = "set=1\nprivate_key=" + hex(key.bytes()) + "\nlisten_port=" + std::to_string(kPort);
  question += "\nreplace_peers=true\npublic_key=" + hex(other_key.bytes);
  if (end.calls) question += "\nendpoint=" + std::string(other.on_cable) + ":" + std::to_string(kPort);
  if (end.calls) question += "\npersistent_keepalive_interval=1";
  question += "\nallowed_ip=" + std::string(other.in_tunnel) + "/32\n\n";
  stage_.enter(end.place);
  const int error = daemon::ask_gateway(control_of(end.interface), question).error;
  if (error != 0) throw std::system_error(-error, std::generic_category(), "configure " + program_);
  add_address(end.interface, ip(end.in_tunnel), 24);
  set_mtu(end.interface, kMtu);
  set_up(end.interface);
}

void Session::wait_until(const std::string& what, const std::function<bool()>& condition) {
  const auto ready = [&] {
    require_running();
    return condition();
  };
  try {
    lab::wait_for(what, kPatience, ready);
  } catch (const lab::TookTooLong& error) {
    std::string text = error.what();
    for (const auto& each : processes_) text += "\nThe log of " + each->name() + ":\n" + each->log();
    throw std::runtime_error(text);
  }
}

void Session::require_running() {
  for (const auto& each : processes_) each->require_running();
}

ProcessCost Session::cost() const {
  ProcessCost sum;
  for (const auto& each : processes_) {
    const ProcessCost cost = cost_of(each->id());
    sum.processor_time += cost.processor_time;
    sum.resident_bytes += cost.resident_bytes;
  }
  return sum;
}

}  // namespace adit::bench
