// Traffic: threads of ours that send and receive as fast as they can, from sockets in two places.
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "daemon/lab/echo_server.h"
#include "daemon/lab/stage.h"
#include "net/udp.h"

namespace adit::bench {

/// Sockets as most programs have them.
inline constexpr Offloads kPlain = {.tso = false, .uso = false, .segment = false, .gro = false};

/// A thread that does the same again and again until this is destroyed or it has failed.
class Repeating {
 public:
  /// `step` takes a tenth of a second at most, and says 0, or the errno value of what went wrong; what is only for now
  /// (EAGAIN, EINTR, ENOBUFS) is no failure.
  explicit Repeating(std::function<int()> step);
  ~Repeating();
  Repeating(const Repeating&) = delete;
  Repeating& operator=(const Repeating&) = delete;
  /// Throws std::system_error "`what`: reason" if it has failed.
  void require_running(const std::string& what) const;

 private:
  std::atomic<int> error_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;  // after what it uses
};

/// Where bytes flow: from a place to an address that another place has.
struct Course {
  lab::Stage& stage;
  std::string from;
  std::string to;
  Ip address;  // at `to`
};

/// One TCP connection, filled.
class TcpFlow {
 public:
  /// Throws std::system_error when there is no connection within 5 s.
  explicit TcpFlow(const Course& course);

  /// Bytes so far.  Throws std::system_error when the connection is broken.
  [[nodiscard]] uint64_t received() const;

 private:
  struct Ends {
    Fd sender;
    Fd receiver;
  };
  explicit TcpFlow(Ends ends);
  static Ends connect(const Course& course);

  Ends ends_;
  std::vector<char> outgoing_, incoming_;
  std::atomic<uint64_t> received_ = 0;
  Repeating receive_, send_;
};

/// Datagrams, each sent with a system call of its own, more than anything takes.
class UdpFlood {
 public:
  /// `payload`: bytes in each.
  UdpFlood(const Course& course, size_t payload);

  /// Datagrams so far.  Throws std::system_error when one of the threads has failed.
  [[nodiscard]] uint64_t received() const;

 private:
  PacketPool pool_;  // the receiver's
  UdpSocket receiver_;
  Fd sender_;
  std::vector<char> outgoing_;
  Datagrams batch_;
  DropCounters drops_;
  std::atomic<uint64_t> received_ = 0;
  Repeating receive_, send_;
};

/// An echo server with a thread of its own.
class Echo {
 public:
  /// Opens the socket in the place that was entered last.
  explicit Echo(const Endpoint& listen);

 private:
  PacketPool pool_;
  lab::EchoServer server_;
  Repeating answer_;
};

}  // namespace adit::bench
