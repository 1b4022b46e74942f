// A service that answers every datagram with its own bytes.
#pragma once

#include <map>

#include "net/udp.h"

namespace adit::lab {

class EchoServer {
 public:
  /// Opens the socket in the place that was entered last.  Throws std::system_error.
  explicit EchoServer(const Endpoint& listen, const Offloads& offloads = {})
      : socket_(UdpSocket::bind(listen, offloads)) {}

  [[nodiscard]] int fd() const noexcept { return socket_.fd(); }
  /// Answers what is waiting.
  void answer(PacketPool& pool);
  /// Datagrams seen, by where they came from.
  [[nodiscard]] const std::map<Endpoint, size_t>& sources() const noexcept { return sources_; }

 private:
  UdpSocket socket_;
  Datagrams batch_;
  DropCounters drops_;
  std::map<Endpoint, size_t> sources_;
};

}  // namespace adit::lab
