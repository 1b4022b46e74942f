#include "daemon/relay_connection.h"

#include <sys/socket.h>

namespace adit::daemon {
namespace {

using State = RelayConnection::State;

bool would_block(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

/// How many bytes the socket took; -1 when it is broken.
ssize_t send_some(const Fd& to, ConstBytes bytes) noexcept {
  const ssize_t sent = ::send(to.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (sent < 0 && would_block(errno)) return 0;
  return sent;
}

}  // namespace

Drop drop_of_connect_error(int error) noexcept {
  if (error == ECONNREFUSED || error == ECONNRESET) return Drop::kServiceRefused;
  if (error == ETIMEDOUT) return Drop::kServiceTimeout;
  if (error == EADDRNOTAVAIL) return Drop::kNoAddress;
  if (error == EADDRINUSE) return Drop::kNoPort;
  if (error == EMFILE || error == ENFILE) return Drop::kNoDescriptor;
  return Drop::kServiceUnreachable;
}

RelayConnection::RelayConnection(Loop& loop, Fd client, Fd service, ConstBytes header, Owner& owner)
    : client_(std::move(client)),
      service_(std::move(service)),
      client_watch_(loop, client_.get(), [&owner](TcpWatch::Ready ready) { owner.on_ready(Side::kClient, ready); }),
      service_watch_(loop, service_.get(), [&owner](TcpWatch::Ready ready) { owner.on_ready(Side::kService, ready); }) {
  in_.keep(header);
  service_watch_.want(false, true);
}

State RelayConnection::serve(Side side, TcpWatch::Ready ready, Bytes scratch, forward::RuleStats& stats) {
  if (is_connecting_) {
    if (!finish_connecting()) return State::kFailed;
    ready = {.to_write = true};
  }
  const bool is_client = side == Side::kClient;
  const Fd& here = is_client ? client_ : service_;
  const Fd& there = is_client ? service_ : client_;
  forward::RelayStream& from_here = is_client ? in_ : out_;
  forward::RelayStream& to_here = is_client ? out_ : in_;

  if (ready.to_write && !write_on(here, to_here)) return State::kBroken;
  // A reset that finds no reader is not looked for behind bytes: the other side is not taking any.
  if (ready.failed && !from_here.wants_read()) return State::kBroken;
  if ((ready.to_read || ready.failed) && from_here.wants_read()) {
    if (!read(here, there, from_here, scratch, is_client ? stats.bytes_in : stats.bytes_out)) return State::kBroken;
  }
  if (in_.has_ended() && out_.has_ended()) return State::kEnded;
  want();
  return State::kRelaying;
}

bool RelayConnection::finish_connecting() noexcept {
  is_connecting_ = false;
  const int error = tcp_error(service_.get());
  if (error != 0) why_failed_ = drop_of_connect_error(error);
  return error == 0;
}

bool RelayConnection::read(const Fd& from, const Fd& to, forward::RelayStream& stream, Bytes scratch, uint64_t& count) {
  const ssize_t received = ::recv(from.get(), scratch.data(), scratch.size(), 0);
  if (received < 0) return would_block(errno);
  if (received == 0) {
    stream.end();
    return ::shutdown(to.get(), SHUT_WR) == 0;
  }
  count += static_cast<uint64_t>(received);
  const ConstBytes bytes = scratch.first(static_cast<size_t>(received));
  const ssize_t sent = send_some(to, bytes);
  if (sent < 0) return false;
  stream.keep(bytes.subspan(static_cast<size_t>(sent)));
  return true;
}

bool RelayConnection::write_on(const Fd& to, forward::RelayStream& stream) noexcept {
  if (!stream.wants_write()) return true;
  const ssize_t sent = send_some(to, stream.waiting());
  if (sent < 0) return false;
  stream.written(static_cast<size_t>(sent));
  return true;
}

void RelayConnection::want() {
  client_watch_.want(in_.wants_read(), out_.wants_write());
  service_watch_.want(out_.wants_read(), in_.wants_write());
}

void RelayConnection::reset() noexcept {
  reset_tcp(client_);
  reset_tcp(service_);
}

size_t RelayConnection::size() noexcept { return sizeof(RelayConnection) + 2 * TcpWatch::size(); }

}  // namespace adit::daemon
