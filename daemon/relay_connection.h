// One relayed TCP connection: two sockets, and what is between them.
#pragma once

#include "daemon/tcp_socket.h"
#include "daemon/tcp_watch.h"
#include "forward/forwarder.h"
#include "forward/relay_stream.h"

namespace adit::daemon {

/// How it works.  While the service is being connected to, nothing is read.  Then each side's bytes go to the other
/// with one read into memory that all connections share and one write; only what the write leaves over is kept, and
/// nothing more is read until that is gone.  An end passes through each way by itself.
class RelayConnection {
 public:
  enum class Side : uint8_t { kClient, kService };
  enum class State : uint8_t {
    kRelaying,
    kEnded,   // both ends have passed through
    kBroken,  // a side was reset, or failed: the other is to be reset
    kFailed,  // the service was not reached, see why_failed()
  };
  /// Whoever has the connection: told when there is something to serve(), whereupon it may destroy the connection.
  class Owner {
   public:
    virtual void on_ready(Side side, TcpWatch::Ready ready) = 0;

   protected:
    ~Owner() = default;
  };

  /// `service` is connecting; `header` is sent to it before anything else.  Throws std::runtime_error.
  RelayConnection(Loop& loop, Fd client, Fd service, ConstBytes header, Owner& owner);

  /// Moves bytes, at most `scratch` of them each way, and counts what was read; what became of the connection.
  State serve(Side side, TcpWatch::Ready ready, Bytes scratch, forward::RuleStats& stats);
  /// Both sides see a reset in place of an end.
  void reset() noexcept;

  [[nodiscard]] Drop why_failed() const noexcept { return why_failed_; }
  /// Bytes of memory of a connection in which nothing waits, without the kernel's.
  static size_t size() noexcept;

 private:
  [[nodiscard]] bool finish_connecting() noexcept;
  [[nodiscard]] static bool read(const Fd& from, const Fd& to, forward::RelayStream& stream, Bytes scratch,
                                 uint64_t& count);
  [[nodiscard]] static bool write_on(const Fd& to, forward::RelayStream& stream) noexcept;
  void want();

  Fd client_;
  Fd service_;
  TcpWatch client_watch_;  // behind the descriptors, which close later
  TcpWatch service_watch_;
  forward::RelayStream in_;   // from the client to the service
  forward::RelayStream out_;  // and back
  bool is_connecting_ = true;
  Drop why_failed_ = Drop::kNone;
};

/// What an error of connect_tcp(), or of the socket that it began to connect, is counted as.
[[nodiscard]] Drop drop_of_connect_error(int error) noexcept;

}  // namespace adit::daemon
