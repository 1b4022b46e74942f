#include "daemon/doctor/handshake_findings.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "daemon/doctor/gateway_state.h"
#include "daemon/doctor/words.h"
#include "daemon/text.h"

namespace adit::doctor {
namespace {

using daemon::ago_text;
using daemon::span_text;

/// How far apart two clocks are, as a person says it.
std::string apart(int64_t ahead) { return span_text(std::abs(ahead)) + (ahead < 0 ? " behind" : " ahead of"); }

std::string join(const std::vector<Ip>& addresses) {
  std::string text;
  for (const Ip& ip : addresses) text += (text.empty() ? "" : ", ") + ip.to_string();
  return text;
}

}  // namespace

std::string PeerCase::name() const { return name_of(peer); }

std::string PeerCase::handshake() const {
  if (!has_called()) return "no handshake with " + name() + " since this adit was started";
  return "the last handshake was " + ago_text(age());
}

const EndpointProbe* PeerCase::probe() const {
  const auto found = std::ranges::find(facts.endpoints, index, &EndpointProbe::peer);
  return found == facts.endpoints.end() ? nullptr : &*found;
}

bool PeerCase::was_pinged() const {
  return std::ranges::any_of(facts.pings, [&](const PingProbe& ping) { return ping.peer == index && ping.error == 0; });
}

Finding clock_of_peer(const PeerCase& given) {
  const PeerState::OldInitiation& old = *given.peer.old_initiation;
  const int64_t ahead = old.stamp - old.at;
  Finding finding = {Code::kClockOff,
                     "the clock of " + given.name() + " went back: its handshakes are older than ones before",
                     {},
                     {}};
  finding.saw = {"it called " + ago_text(given.facts.now - old.at) + ", and its clock said " + time_text(old.stamp),
                 "earlier its clock said " + time_text(old.newest) + ", and WireGuard takes nothing older than that",
                 "its clock is " + apart(ahead) + " this machine's"};
  const std::string sync = "set the clock right: timedatectl set-ntp true (FreeBSD: service ntpd onestart)";
  if (std::abs(ahead) > 60) finding.to_do.push_back("at " + given.name() + ", " + sync);
  finding.to_do.push_back("or have this gateway forget: restart it (adit reload does not)");
  return finding;
}

Finding wrong_psk(const PeerCase& given) {
  Finding finding = {Code::kWrongPsk, "the preshared keys differ between here and " + given.name(), {}, {}};
  if (given.peer.forged_responses > 0) {
    finding.saw.push_back(std::to_string(given.peer.forged_responses) + " answers to our handshakes did not decrypt");
  } else {
    finding.what += ", or our answers get lost on the way there";
    finding.saw.push_back(std::to_string(given.peer.unconfirmed) +
                          " handshakes were right and answered, and then it began anew");
  }
  finding.saw.push_back(given.handshake());
  finding.to_do = {"write the same preshared_key on both sides, or none on both",
                   "if they are the same: let udp from this gateway's port " + given.port() + " through to " +
                       given.name() + "'s firewall"};
  return finding;
}

Finding private_for_public(const PeerCase& given, const StrangerState& stranger) {
  return {Code::kSwappedKeys,
          "the public_key of " + given.name() + " in " + file_of(given.facts) + " is its private key",
          {stranger.from.to_string() + " called " + ago_text(given.facts.now - stranger.at) + " with the key " +
           stranger.key + ", which belongs to it"},
          {"in [[peer]]: public_key = \"" + stranger.key + "\"", then_reload(given.facts),
           "better still, make " + given.name() + " a new key: this one was where others could read it"}};
}

Finding wrong_key_here(const PeerCase& given, const StrangerState& stranger) {
  return {
      Code::kWrongKey,
      "somebody calls with a key that is in no [[peer]]: if it is " + given.name() + ", its public_key here is wrong",
      {stranger.from.to_string() + " called " + ago_text(given.facts.now - stranger.at) + " with the key " +
           stranger.key,
       "the file has " + given.peer.public_key, given.handshake()},
      {"at " + given.name() + " ask for its key: wg show wg0 public-key (or: adit pubkey < wg0.key)",
       "if it says the same: public_key = \"" + stranger.key + "\" in [[peer]] of " + file_of(given.facts),
       then_reload(given.facts)}};
}

Finding wrong_key_there(const PeerCase& given, const StrangerState& stranger) {
  Finding finding = {
      Code::kWrongKey,
      "somebody calls another key than this gateway's: " + given.name() + " has the wrong public key for it",
      {stranger.from.to_string() + " called " + ago_text(given.facts.now - stranger.at) + " (bad_mac " +
       std::to_string(count_of(given.facts.after->drops, "bad_mac")) + ")"},
      {"at " + given.name() + ", in its [Peer]: PublicKey = " + given.facts.after->public_key,
       "then restart the tunnel there: wg-quick down wg0; wg-quick up wg0"}};
  const auto& peers = given.facts.after->peers;
  const auto whose = std::ranges::find(peers, stranger.key, &PeerState::public_key);
  if (whose != peers.end()) finding.saw.push_back("the key it called for is that of the peer " + name_of(*whose));
  finding.saw.push_back(given.handshake());
  return finding;
}

Finding lost_name(const PeerCase& given) {
  const EndpointProbe& probe = *given.probe();
  return {Code::kEndpointGone,
          "the endpoint of " + given.name() + " has a name that is not found: " + probe.name,
          {"looking it up: " + probe.lookup_error, given.handshake()},
          {"see whether it is written right, and whether this machine finds other names: getent hosts " + probe.name,
           "if it has an address that stays: endpoint = \"ADDRESS:PORT\" in [[peer]] of " + file_of(given.facts),
           then_reload(given.facts)}};
}

Finding unreachable(const PeerCase& given) {
  const EndpointProbe& probe = *given.probe();
  const std::string where = given.peer.endpoint->to_string();
  return {Code::kEndpointGone,
          "there is no way to " + where + ", where " + given.name() + " is called",
          {"a datagram sent there: " + reason(probe.send_error), given.handshake()},
          {"see how far it gets: ping " + given.peer.endpoint->ip.to_string() + ", ip route get " +
               given.peer.endpoint->ip.to_string(),
           "if " + given.name() + " has another address now: endpoint in [[peer]] of " + file_of(given.facts),
           then_reload(given.facts)}};
}

Finding lost_caller(const PeerCase& given) {
  Finding finding = {
      Code::kEndpointGone,
      given.name() + " was heard from at " + given.peer.endpoint->to_string() + ", and is not there any more",
      {given.handshake()},
      {}};
  if (given.peer.handshake_attempts > 0) {
    finding.saw.push_back("this gateway has called it " + std::to_string(given.peer.handshake_attempts) +
                          " times since, without an answer");
  }
  if (given.was_pinged()) finding.saw.push_back("nothing came back through the tunnel");
  finding.to_do = {
      "see whether " + given.name() + " runs, and its tunnel: wg show",
      "at " + given.name() + ", in its [Peer]: PersistentKeepalive = 25 (without it its router forgets the way)"};
  return finding;
}

Finding own_clock(const PeerCase& given) {
  const Machine::NewerFile& file = *given.facts.machine.newer_file;
  Finding finding = {
      Code::kClockOff,
      "this machine's clock is behind: " + given.name() + " takes our handshakes for old ones",
      {"it is " + time_text(given.facts.now) + " here, but " + file.path + " was written at " + time_text(file.changed),
       given.handshake()},
      {given.facts.advice.clock_sync}};
  if (given.facts.machine.clock_is_synchronized == false) finding.saw.emplace_back("no time server sets this clock");
  return finding;
}

Finding no_answer(const PeerCase& given) {
  const std::string where = given.peer.endpoint->to_string();
  const EndpointProbe* probe = given.probe();
  const bool is_refused = probe != nullptr && probe->send_error == ECONNREFUSED;
  Finding finding = {Code::kPortClosed, given.name() + " does not answer at " + where, {}, {}};
  if (given.peer.handshake_attempts > 0) {
    finding.saw.push_back("called " + std::to_string(given.peer.handshake_attempts + 1) + " times, without an answer");
  }
  finding.saw.push_back(given.handshake());
  finding.saw.emplace_back(is_refused ? "its machine says that nothing listens at that port"
                                      : "nothing comes back from that port, not even a refusal");
  if (probe != nullptr && !probe->addresses.empty())
    finding.saw.push_back(probe->name + " is " + join(probe->addresses));
  finding.to_do.push_back("at " + given.name() +
                          ": adit doctor (it sees more: closed port, wrong key, or not running)");
  if (!is_refused) {
    finding.to_do.push_back("there, let it in: " + open_port(given.facts.advice, given.peer.endpoint->port, false) +
                            ", and in the provider's panel");
  }
  finding.to_do.push_back("this gateway's public key, which must stand there: " + given.facts.after->public_key);
  return finding;
}

Finding old_session(const PeerCase& given) {
  return {Code::kOldSession,
          "somebody, probably " + given.name() + ", goes on with a session of before this adit was started",
          {"packets of unknown sessions (unknown_index): " +
               std::to_string(count_of(given.facts.after->drops, "unknown_index")),
           given.handshake()},
          {"wait: within three minutes it begins a new one",
           "or restart the tunnel there: wg-quick down wg0; wg-quick up wg0"}};
}

Finding nobody_called(const PeerCase& given) {
  return {
      Code::kPortClosed,
      "nobody has called: udp port " + given.port() + " is closed on the way, or " + given.name() + " is not started",
      {given.handshake(), "nothing else has come to udp port " + given.port() + " either, right or wrong",
       "the file has no endpoint for " + given.name() + ", so it is the one that calls"},
      {"open the port on this machine: " + open_port(given.facts.advice, given.facts.after->listen_port, false),
       "open it in the firewall of your provider's panel, too: udp " + given.port(),
       "start the tunnel at " + given.name() + ", with Endpoint = (this machine's address):" + given.port() +
           " and PersistentKeepalive = 25",
       "if adit was started only now: wait until " + given.name() + " has something to say, and look again"}};
}

}  // namespace adit::doctor
