#include "daemon/demo/report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <iostream>
#include <sstream>

#include "daemon/lab/text.h"
#include "daemon/lab/world.h"

namespace adit::demo {

using namespace lab;

namespace {

constexpr const char* kMap = R"(
  +--------+
  | player |  ann  203.0.113.11        cleo  2001:db8:113::11
  +---+----+  bob  203.0.113.12        dan   2001:db8:113::12
      |
      |       the internet: to 203.0.113.1 and 2001:db8:113::1, udp port 34197
      |
  +---+----+
  |  vps   |  adit run: 10.1.2.5 in the tunnel; no IP forwarding, no firewall rules
  +---+----+
      #
      #       WireGuard: home, 198.51.100.2, calls 198.51.100.1, udp port 342
      #
  +---+----+
  |  home  |  HOME: routes between tunnel and jail
  +---+----+
      |
  +---+----+
  |  jail  |  10.1.2.2, the game server: an echo on udp port 34197
  +--------+

)";

/// Smallest, median and largest; of nothing, dashes.
std::array<std::string, 3> spread(std::vector<Duration> values) {
  if (values.empty()) return {"-", "-", "-"};
  std::ranges::sort(values);
  return {milliseconds_text(values.front()), milliseconds_text(values[values.size() / 2]),
          milliseconds_text(values.back())};
}

}  // namespace

void print_map(HomeProgram home) {
  std::string map = kMap;
  const std::string word = "HOME";
  map.replace(map.find(word), word.size(), home == HomeProgram::kAdit ? "adit run" : "wireguard-go");
  std::cout << map << std::flush;
}

void print_file(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) std::cout << (line.empty() ? "" : "    ") << line << "\n";
  std::cout << std::flush;
}

void print_step(const std::string& subject, const std::string& text) {
  std::cout << left(subject, 10) << text << std::endl;
}

void print_game_heading(const std::vector<Player>& players) {
  std::cout << left("", 12);
  for (const Player& player : players) std::cout << right(player.name(), 14);
  std::cout << "\n" << left("", 12);
  for (size_t i = 0; i < players.size(); ++i) std::cout << right("sent  back", 14);
  std::cout << std::endl;
}

void print_game_line(const std::string& when, const std::vector<Player>& players) {
  std::cout << left("  " + when, 12);
  for (const Player& player : players) std::cout << right(player.sent(), 8) << right(player.back(), 6);
  std::cout << std::endl;
}

void print_results(const std::vector<Player>& players) {
  std::cout << "\n      from                      to                       sent back lost      round trip, ms\n"
            << "                                                                           min  median     max\n";
  for (const Player& player : players) {
    const auto [least, median, most] = spread(player.round_trips());
    std::cout << left(player.name(), 6) << left(player.from().to_string(), 26) << left(player.to().to_string(), 24)
              << right(player.sent(), 5) << right(player.back(), 5) << right(player.sent() - player.back(), 5)
              << right(least, 7) << right(median, 8) << right(most, 8) << "\n";
  }
  std::cout << std::flush;
}

void print_sources(const EchoServer& server) {
  std::cout << "\nWho the game server thinks it was playing with:\n";
  for (const auto& [source, count] : server.sources()) {
    std::cout << "    " << left(source.to_string(), 26) << right(count, 5) << " datagrams\n";
  }
  std::cout << std::flush;
}

std::string milliseconds_text(Duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2f", std::chrono::duration<double, std::milli>(duration).count());
  return text.data();
}

std::vector<std::string> faults(const Game& game) {
  std::vector<std::string> all;
  for (const Player& player : game.players()) {
    const size_t lost = player.sent() - player.back();
    if (lost > 0) all.push_back(player.name() + ": not back: " + std::to_string(lost));
    if (player.strays() > 0) {
      all.push_back(player.name() + ": answers to nothing it had sent: " + std::to_string(player.strays()));
    }
  }
  const auto& sources = game.server().sources();
  for (const auto& [source, count] : sources) {
    if (source.ip != ip(kVpsInTunnel)) all.push_back("the server saw " + source.to_string() + ", not " + kVpsInTunnel);
  }
  if (sources.size() != game.players().size()) {
    all.push_back("the server saw " + std::to_string(sources.size()) + " players, not " +
                  std::to_string(game.players().size()));
  }
  return all;
}

}  // namespace adit::demo
