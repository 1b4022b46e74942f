// How it works.  What notices say is not read: the kernel is asked about each way that matters.  It tells everybody
// its answers, too, and those must not count as changes: each look would bring the next.  By where a datagram comes
// from no route is chosen here.

#include <sys/socket.h>

#include <array>

#include "net/route_message_freebsd.h"
#include "net/route_watch.h"

namespace adit {
namespace {

/// What does not fit is lost, and the kernel says that something was.
constexpr int kNoticeBuffer = 16 << 10;

/// The beginning that all kinds of messages have in common.
struct AnyMessage {
  u_short length;
  uint8_t version;
  uint8_t type;
};

bool is_change(const AnyMessage& message) noexcept {
  switch (message.type) {
    case RTM_ADD:
    case RTM_DELETE:
    case RTM_CHANGE:
    case RTM_REDIRECT:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_IFINFO:
    case RTM_IFANNOUNCE:
      return true;
    default:
      return false;
  }
}

}  // namespace

RouteWatch::RouteWatch() : notices_(open_route_socket("watch routes")), questions_(open_route_socket("watch routes")) {
  const int on = 1;
  check_call("watch routes", ::setsockopt(notices_.get(), SOL_SOCKET, SO_RCVBUF, &kNoticeBuffer, sizeof kNoticeBuffer));
  check_call("watch routes", ::setsockopt(notices_.get(), SOL_SOCKET, SO_RERROR, &on, sizeof on));
}

bool RouteWatch::drain() noexcept {
  bool changed = false;
  while (true) {
    std::array<char, 2048> buffer;
    const ssize_t size = ::read(notices_.get(), buffer.data(), buffer.size());
    if (size < 0 && errno != ENOBUFS) return changed;
    AnyMessage message{};
    std::memcpy(&message, buffer.data(), sizeof message);
    changed |= size < static_cast<ssize_t>(sizeof message) || is_change(message);
  }
}

bool RouteWatch::leads_out(const Endpoint& remote, const Local& local, uint16_t, uint32_t mark) noexcept {
  if (use_fib(questions_.get(), mark) < 0 || use_fib(notices_.get(), mark) < 0) return true;
  RouteMessage question(RTM_GET, RTF_UP, static_cast<int>(++sequence_));
  question.put_destination(remote.ip, remote.scope);
  const auto interface = question.ask(questions_.get());
  return !interface || *interface == local.interface;
}

}  // namespace adit
