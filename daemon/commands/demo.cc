// adit demo: players, a VPS, a home and its jail as throw-away machines on this one, and a game between them.

#include <sys/stat.h>

#include <iostream>

#include "daemon/commands/commands.h"
#include "daemon/demo/players.h"
#include "daemon/demo/report.h"
#include "daemon/lab/gateways.h"
#include "daemon/lab/stage.h"
#include "daemon/lab/waiting.h"
#include "daemon/lab/world.h"

namespace adit::daemon {
namespace {

using namespace adit::demo;
using namespace adit::lab;

constexpr size_t kSecondsOfPlay = 8;
constexpr size_t kPerSecond = 20;  // about what a game client sends
constexpr Duration kInterval = Duration(seconds(1)) / kPerSecond;
constexpr size_t kBurst = kDatagramsEach - kSecondsOfPlay * kPerSecond;  // few enough for any program's buffers
constexpr seconds kPatience(3);

Game open_game(Stage& stage) {
  stage.enter(kJail);
  EchoServer server({ip(kServer), kGamePort});
  stage.enter(kPlayer);
  const Endpoint v4{ip(kVpsToPlayersV4), kGamePort};
  const Endpoint v6{ip(kVpsToPlayersV6), kGamePort};
  std::vector<Player> players;
  players.emplace_back("ann", 1, ip(kAnn), v4);
  players.emplace_back("bob", 2, ip(kBob), v4);
  players.emplace_back("cleo", 3, ip(kCleo), v6);
  players.emplace_back("dan", 4, ip(kDan), v6);
  return {std::move(server), std::move(players)};
}

void play(Game& game) {
  print_step("game", "20 datagrams a second from each player, then 10 at once; 0 to 1372 bytes each");
  print_game_heading(game.players());
  for (size_t second = 1; second <= kSecondsOfPlay; ++second) {
    game.play(kPerSecond, kInterval);
    print_game_line(std::to_string(second) + " s", game.players());
  }
  game.play(kBurst, Duration(0));
  game.wait_for_answers(kPatience);
  print_game_line("all", game.players());
}

int verdict(const Game& game, const Gateways& gateways) {
  const std::vector<std::string> wrong = faults(game);
  if (wrong.empty()) {
    std::cout << "\nEvery datagram came back: " << game.players().size() * kDatagramsEach
              << ", unchanged, each to the player who had sent it.\n";
    return kExitDone;
  }
  std::cout << "\nThe VPS's log:\n";
  print_file(gateways.vps_log());
  std::cout << "\nNot every datagram came back as it should:\n";
  for (const std::string& fault : wrong) std::cout << "    " << fault << "\n";
  return kExitFailed;
}

}  // namespace

int demo(const std::string& home) {
  const HomeProgram program = home == "adit" ? HomeProgram::kAdit : HomeProgram::kWireguardGo;
  require_installed(program);
  hold_interrupts();
  ::umask(077);  // of keys, and of everything else

  Stage stage;
  furnish(stage);
  Gateways gateways(stage);
  std::cout << "A game server at home, reached through a VPS. Four throw-away machines inside this one:\n";
  print_map(program);
  std::cout << "The whole configuration of the VPS:\n\n";
  print_file(gateways.vps_config());
  std::cout << "\n";

  print_step("vps", "adit run: ready after " + milliseconds_text(gateways.start_vps()) + " ms");
  gateways.start_home(program);
  print_step("home", home + ": started");
  print_step("tunnel", "handshake complete after " + milliseconds_text(gateways.wait_for_handshake()) + " ms");
  Game game = open_game(stage);
  play(game);

  print_results(game.players());
  print_sources(game.server());
  std::cout << "\nadit show wg0, on the VPS:\n\n" << std::flush;
  gateways.show_vps();
  return verdict(game, gateways);
}

}  // namespace adit::daemon
