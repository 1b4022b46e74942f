// The game: a UDP echo as its server, and players who send and check what comes back.
#pragma once

#include <string>
#include <vector>

#include "daemon/lab/echo_server.h"
#include "net/time.h"
#include "net/udp.h"

namespace adit::demo {

/// Datagrams that each player sends in all, each of another size: 0 bytes to the largest that fits.
inline constexpr size_t kDatagramsEach = 170;
/// What fits into a tunnel of MTU 1420, with the server's address of either IP version: 1420 - 40 - 8.
inline constexpr size_t kLargestPayload = 1372;

class Player {
 public:
  /// As lab::EchoServer's.  `id` makes this player's bytes different from all others'.
  Player(std::string name, uint32_t id, const Ip& own, const Endpoint& server);

  [[nodiscard]] int fd() const noexcept { return socket_.fd(); }
  /// Sends the next datagram, of kDatagramsEach.
  void send(PacketPool& pool);
  /// Takes what has come back; what is not exactly the answer to a datagram of this player is counted as a stray.
  void receive(PacketPool& pool);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const Endpoint& from() const noexcept { return socket_.local(); }
  [[nodiscard]] const Endpoint& to() const noexcept { return server_; }
  [[nodiscard]] size_t sent() const noexcept { return shots_.size(); }
  [[nodiscard]] size_t back() const noexcept { return round_trips_.size(); }
  /// Answers that were changed, somebody else's, from elsewhere, or there already.
  [[nodiscard]] size_t strays() const noexcept { return strays_; }
  /// Of the answers, in the order in which they came back.
  [[nodiscard]] const std::vector<Duration>& round_trips() const noexcept { return round_trips_; }

 private:
  struct Shot {
    std::vector<uint8_t> payload;
    Time sent;
    bool is_back;
  };
  void take(const Datagram& answer, Time now);

  std::string name_;
  uint32_t id_;
  Endpoint server_;
  UdpSocket socket_;
  Datagrams batch_;
  DropCounters drops_;
  std::vector<Shot> shots_;
  size_t strays_ = 0;
  std::vector<Duration> round_trips_;
};

/// Server and players in one loop: their sockets are in different places, and that is all that matters.
class Game {
 public:
  Game(lab::EchoServer server, std::vector<Player> players);

  /// Each player sends `count` datagrams, one every `interval`.
  void play(size_t count, Duration interval);
  /// Waits until everything is back, but not longer than `patience`.
  void wait_for_answers(Duration patience);

  [[nodiscard]] const lab::EchoServer& server() const noexcept { return server_; }
  [[nodiscard]] const std::vector<Player>& players() const noexcept { return players_; }

 private:
  void attend(Time deadline);

  PacketPool pool_;  // before everything that holds packets
  lab::EchoServer server_;
  std::vector<Player> players_;
  std::vector<int> fds_;
};

}  // namespace adit::demo
