#include "daemon/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <system_error>

namespace adit::daemon {
namespace {

constexpr const char* kVariable = "NOTIFY_SOCKET";

Fd connect_to(const std::string& name) {
  const std::string what = std::string(kVariable) + "=" + name;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_abstract = name.starts_with('@');
  if (!is_abstract && !name.starts_with('/')) throw std::system_error(EAFNOSUPPORT, std::generic_category(), what);
  if (name.size() >= sizeof address.sun_path) throw std::system_error(ENAMETOOLONG, std::generic_category(), what);
  name.copy(address.sun_path, sizeof address.sun_path - 1);
  if (is_abstract) address.sun_path[0] = '\0';
  // An abstract name is as long as the address says; a path ends with its zero.
  const size_t size = offsetof(sockaddr_un, sun_path) + name.size() + (is_abstract ? 0 : 1);
  Fd fd(check_call(what, ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)));
  check_call(what, ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)));
  return fd;
}

}  // namespace

std::string ready_text(std::string_view status) { return "READY=1\nSTATUS=" + std::string(status) + "\n"; }

std::string reloading_text(std::chrono::microseconds now) {
  return "RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count()) + "\nSTATUS=reading the configuration\n";
}

Notifier::Notifier() {
  const char* name = std::getenv(kVariable);
  if (name == nullptr || *name == '\0') return;
  socket_ = connect_to(name);
  ::unsetenv(kVariable);
}

void Notifier::ready(std::string_view status) const { tell(ready_text(status)); }

void Notifier::reloading() const {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  tell(reloading_text(std::chrono::duration_cast<std::chrono::microseconds>(now)));
}

void Notifier::stopping() const { tell("STOPPING=1\nSTATUS=stopping\n"); }

void Notifier::tell(std::string_view lines) const noexcept {
  if (socket_) (void)::send(socket_.get(), lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace adit::daemon
