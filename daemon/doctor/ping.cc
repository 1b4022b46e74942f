#include "daemon/doctor/ping.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "crypto/random.h"
#include "daemon/doctor/echo.h"
#include "daemon/doctor/machine.h"
#include "daemon/tcp_socket.h"
#include "net/sockaddr.h"

namespace adit::doctor {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kAtOnce = 8;  // requests of a search that are under way together: some hosts answer only so many
constexpr uint16_t kPadding = 16;

std::string what(const Ip& to) { return "ping " + to.to_string(); }

/// Of two kinds: one that everybody may have where the system is so set up, and one for root.
Fd open_socket(const Ip& to, bool& is_raw) {
  const int family = to.is_v4() ? AF_INET : AF_INET6;
  const int protocol = to.is_v4() ? int{IPPROTO_ICMP} : int{IPPROTO_ICMPV6};
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  is_raw = !fd;
  if (is_raw) fd = Fd(check_call(what(to), ::socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol)));
  return fd;
}

}  // namespace

Pinger::Pinger(const Ip& to, const Way& way) : v4_(to.is_v4()), mark_(crypto::random_u64()) {
  bool is_raw = false;
  fd_ = open_socket(to, is_raw);
  shows_ip_header_ = v4_ && is_raw;
  forbid_fragments(fd_.get(), v4_);
  sockaddr_storage address{};
  // Where the system cannot hold a socket to an interface, the routes decide.
  [[maybe_unused]] const int is_held = daemon::stay_on(fd_.get(), way.interface);
  if (way.from) {
    const socklen_t size = to_sockaddr({*way.from, 0}, address);
    check_call(what(to), ::bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size));
  }
  const socklen_t size = to_sockaddr({to, 0}, address);
  check_call(what(to), ::connect(fd_.get(), reinterpret_cast<const sockaddr*>(&address), size));
}

void Pinger::send(uint16_t size) {
  const std::vector<uint8_t> message = echo_request(v4_, size, mark_);
  if (::send(fd_.get(), message.data(), message.size(), 0) >= 0) return;
  // Too large for the interface, no room just now, or an earlier one's error: it does not come back, that is all.
  if (errno == EMSGSIZE || errno == ENOBUFS || errno == EAGAIN || errno == EHOSTUNREACH || errno == ECONNREFUSED)
    return;
  throw std::system_error(errno, std::generic_category(), "ping");
}

std::optional<uint16_t> Pinger::receive() {
  std::array<uint8_t, 65536> buffer;
  const ssize_t count = ::recv(fd_.get(), buffer.data(), buffer.size(), 0);
  const size_t header = shows_ip_header_ ? ip_header_size(v4_) : 0;
  if (count < 0 || static_cast<size_t>(count) < header) return {};
  return answered_size(ConstBytes(buffer).first(static_cast<size_t>(count)).subspan(header), v4_, mark_);
}

std::vector<bool> Pinger::ask(const std::vector<uint16_t>& sizes, Patience patience) {
  std::vector<bool> answered(sizes.size());
  round_trip_ = {};
  const Clock::time_point begin = Clock::now();
  const auto elapsed = [&] { return std::chrono::duration_cast<Patience>(Clock::now() - begin); };
  bool is_repeated = false;
  for (const uint16_t size : sizes) send(size);
  while (elapsed() < patience && std::ranges::find(answered, false) != answered.end()) {
    if (!is_repeated && elapsed() >= patience / 2) {
      is_repeated = true;
      for (size_t i = 0; i < sizes.size(); ++i) {
        if (!answered[i]) send(sizes[i]);
      }
    }
    pollfd waiting{fd_.get(), POLLIN, 0};
    const auto rest = (is_repeated ? patience : patience / 2) - elapsed();
    if (::poll(&waiting, 1, std::max(0, static_cast<int>(rest.count()))) <= 0) continue;
    const std::optional<uint16_t> size = receive();
    const auto found = size ? std::ranges::find(sizes, *size) : sizes.end();
    if (found == sizes.end()) continue;
    if (round_trip_.count() == 0) {
      round_trip_ = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - begin);
    }
    answered[static_cast<size_t>(found - sizes.begin())] = true;
  }
  return answered;
}

uint16_t Pinger::largest(uint16_t least, uint16_t most, Patience patience) {
  while (most - least > kPadding) {
    const int step = std::max<int>(kPadding, (most - least) / static_cast<int>(kAtOnce + 1) / kPadding * kPadding);
    std::vector<uint16_t> sizes;
    const int first = least / kPadding * kPadding + step;
    for (int size = first; size < most && sizes.size() < kAtOnce; size += step) {
      sizes.push_back(static_cast<uint16_t>(size));
    }
    if (sizes.empty()) break;
    const std::vector<bool> answered = ask(sizes, patience);
    // Up to the first that is lost: what lies above came by chance, or did not come by another.
    const auto lost = std::ranges::find(answered, false);
    const auto passed = static_cast<size_t>(lost - answered.begin());
    if (lost != answered.end()) most = sizes[passed];
    if (passed > 0) least = sizes[passed - 1];
  }
  return least;
}

}  // namespace adit::doctor
