#include "daemon/bench/traffic.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "net/sockaddr.h"

namespace adit::bench {
namespace {

constexpr uint16_t kTcpPort = 5001;
constexpr uint16_t kUdpPort = 5002;
constexpr size_t kWriteSize = 131072;  // as iperf3's
constexpr size_t kPoolSlots = 512;
constexpr size_t kLargestPacket = 1500;
constexpr timeval kPatience = {5, 0};
/// How soon a thread notices that it is to end.
constexpr int kNapMilliseconds = 100;
constexpr timeval kNap = {0, kNapMilliseconds * 1000L};

void limit_waiting(const Fd& fd, const timeval& time) {
  check_call("limit waiting", setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time));
  check_call("limit waiting", setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time));
}

Fd new_socket(const Ip& ip, int type) {
  return Fd(check_call("socket", ::socket(ip.is_v4() ? AF_INET : AF_INET6, type | SOCK_CLOEXEC, 0)));
}

Fd listen_tcp(const Course& course) {
  course.stage.enter(course.to);
  Fd fd = new_socket(course.address, SOCK_STREAM);
  const int on = 1;  // an earlier measurement may have had the port
  check_call("reuse port", setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on));
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr({course.address, kTcpPort}, address);
  check_call("bind", ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size));
  check_call("listen", ::listen(fd.get(), 1));
  limit_waiting(fd, kPatience);
  return fd;
}

/// A connected socket, in the place `from`.
Fd connect_to(const Course& course, uint16_t port, int type) {
  course.stage.enter(course.from);
  Fd fd = new_socket(course.address, type);
  limit_waiting(fd, kPatience);
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr({course.address, port}, address);
  const int result = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), size);
  if (result < 0 && errno == EINPROGRESS) errno = ETIMEDOUT;
  check_call("connect through the tunnel", result);
  limit_waiting(fd, kNap);
  return fd;
}

/// What a step says of a system call.
int error_of(ssize_t result) { return result < 0 ? errno : 0; }

/// 0 when `fd` can be read, EAGAIN when it cannot.
int nap_until_readable(int fd) {
  pollfd wanted{fd, POLLIN, 0};
  const int ready = ::poll(&wanted, 1, kNapMilliseconds);
  return ready == 0 ? EAGAIN : error_of(ready);
}

bool is_for_now(int error) { return error == EAGAIN || error == EINTR || error == ENOBUFS; }

}  // namespace

Repeating::Repeating(std::function<int()> step)
    : thread_([this, step = std::move(step)] {
        while (!stop_) {
          const int error = step();
          if (error == 0 || is_for_now(error)) continue;
          error_ = error;
          return;
        }
      }) {}

Repeating::~Repeating() {
  stop_ = true;
  thread_.join();
}

void Repeating::require_running(const std::string& what) const {
  if (error_ != 0) throw std::system_error(error_, std::generic_category(), what);
}

// One TCP connection.

TcpFlow::TcpFlow(const Course& course) : TcpFlow(connect(course)) {}

TcpFlow::TcpFlow(Ends ends)
    : ends_(std::move(ends)),
      outgoing_(kWriteSize),
      incoming_(kWriteSize),
      receive_([this] {
        const ssize_t count = ::recv(ends_.receiver.get(), incoming_.data(), incoming_.size(), 0);
        if (count == 0) return ECONNRESET;
        if (count > 0) received_ += static_cast<uint64_t>(count);
        return error_of(count);
      }),
      send_([this] { return error_of(::send(ends_.sender.get(), outgoing_.data(), outgoing_.size(), MSG_NOSIGNAL)); }) {
}

TcpFlow::Ends TcpFlow::connect(const Course& course) {
  const Fd listener = listen_tcp(course);
  Fd sender = connect_to(course, kTcpPort, SOCK_STREAM);
  Fd receiver(check_call("accept", ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)));
  limit_waiting(receiver, kNap);
  return {std::move(sender), std::move(receiver)};
}

uint64_t TcpFlow::received() const {
  send_.require_running("send through the tunnel");
  receive_.require_running("receive from the tunnel");
  return received_;
}

// As many datagrams as anything takes.

UdpFlood::UdpFlood(const Course& course, size_t payload)
    : pool_(kPoolSlots, kLargestPacket),
      receiver_([&] {
        course.stage.enter(course.to);
        return UdpSocket::bind({course.address, kUdpPort}, kPlain);
      }()),
      sender_(connect_to(course, kUdpPort, SOCK_DGRAM)),
      outgoing_(payload),
      receive_([this] {
        const int error = nap_until_readable(receiver_.fd());
        if (error != 0) return error;
        receiver_.read(pool_, kBatchSize, batch_, drops_);
        received_ += batch_.size();
        batch_.clear();
        return 0;
      }),
      send_([this] { return error_of(::send(sender_.get(), outgoing_.data(), outgoing_.size(), 0)); }) {}

uint64_t UdpFlood::received() const {
  send_.require_running("send through the tunnel");
  receive_.require_running("receive from the tunnel");
  return received_;
}

// An echo.

Echo::Echo(const Endpoint& listen)
    : pool_(kPoolSlots, kLargestPacket), server_(listen, kPlain), answer_([this] {
        const int error = nap_until_readable(server_.fd());
        if (error == 0) server_.answer(pool_);
        return error;
      }) {}

}  // namespace adit::bench
