// Questions at a steady pace, and how long their answers take.
#pragma once

#include <poll.h>

#include <vector>

#include "net/time.h"
#include "net/udp.h"

namespace adit::bench {

struct Answers {
  uint64_t sent = 0;
  Duration sending{};                 // from the first question to the last: longer than asked for if we are too slow
  std::vector<Duration> round_trips;  // of what came back in time

  /// The share that did not come back, 0 to 1.
  [[nodiscard]] double loss() const;
  /// Questions in a second, as really sent.
  [[nodiscard]] double rate() const;
};

/// Clients who take turns to ask an echo.
class Askers {
 public:
  /// `payload`: bytes in each question, at least kStampSize.
  Askers(std::vector<UdpSocket> sockets, const Endpoint& echo, size_t payload);

  static constexpr size_t kStampSize = 16;

  /// Sends questions for `time`, and waits for answers `patience` longer at most.  Throws lab::Interrupted.
  Answers ask(double per_second, Duration time, Duration patience);

 private:
  void send(uint64_t count, Time now);
  void receive(Answers& answers);

  PacketPool pool_;  // before everything that holds packets
  std::vector<UdpSocket> sockets_;
  std::vector<pollfd> fds_;  // of the sockets
  Endpoint echo_;
  size_t payload_;
  size_t next_ = 0;   // whose turn it is
  uint64_t run_ = 0;  // answers to questions of an earlier one come too late
  std::vector<Datagrams> batches_;
  Datagrams incoming_;
  DropCounters drops_;
};

}  // namespace adit::bench
