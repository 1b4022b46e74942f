#include "daemon/lab/waiting.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <vector>

#include "net/clock.h"
#include "net/fd.h"

namespace adit::lab {
namespace {

constexpr int kInterrupts[] = {SIGINT, SIGTERM, SIGHUP};

timespec to_timespec(Duration duration) {
  const auto whole = std::chrono::floor<seconds>(duration);
  timespec time{};
  time.tv_sec = static_cast<time_t>(whole.count());
  time.tv_nsec = static_cast<long>((duration - whole).count());
  return time;
}

}  // namespace

void hold_interrupts() {
  sigset_t held;
  sigemptyset(&held);
  struct sigaction interrupt {};
  interrupt.sa_handler = [](int) {};  // all it has to do is end ppoll()
  for (const int signal : kInterrupts) {
    sigaddset(&held, signal);
    check_call("catch signals", sigaction(signal, &interrupt, nullptr));
  }
  pthread_sigmask(SIG_BLOCK, &held, nullptr);
}

void release_interrupts() noexcept {
  sigset_t none;
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

void wait_readable(std::span<pollfd> fds, Time deadline) {
  const timespec timeout = to_timespec(std::max(Duration(0), deadline - read_clock().mono));
  sigset_t none;
  sigemptyset(&none);
  const int ready = ppoll(fds.data(), static_cast<nfds_t>(fds.size()), &timeout, &none);
  if (ready < 0 && errno == EINTR) throw Interrupted();
  check_call("wait", ready);
}

void wait_readable(std::span<const int> fds, Time deadline) {
  std::vector<pollfd> wanted;
  for (const int fd : fds) wanted.push_back({fd, POLLIN, 0});
  wait_readable(wanted, deadline);
}

void wait_until(Time deadline) {
  while (read_clock().mono < deadline) wait_readable(std::span<pollfd>(), deadline);
}

void wait_for(const std::string& what, seconds patience, const std::function<bool()>& condition) {
  const Time deadline = read_clock().mono + patience;
  while (!condition()) {
    const Time now = read_clock().mono;
    if (now >= deadline) throw TookTooLong(what + ": not within " + std::to_string(patience.count()) + " s");
    wait_until(now + milliseconds(1));
  }
}

}  // namespace adit::lab
