#include "daemon/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <filesystem>

namespace adit::daemon {
namespace {

/// A service manager's socket at a path or, with "@", an abstract name.
class Manager {
 public:
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path - 1);
    if (name.starts_with('@')) address.sun_path[0] = '\0';
    const size_t size = offsetof(sockaddr_un, sun_path) + name.size();
    check_call("bind",
               ::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), static_cast<socklen_t>(size)));
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
  }
  ~Manager() { ::unsetenv("NOTIFY_SOCKET"); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  /// The next datagram; empty when there is none.
  std::string heard() {
    std::string text(1000, '\0');
    const ssize_t size = ::recv(socket_.get(), text.data(), text.size(), 0);
    text.resize(size < 0 ? 0 : static_cast<size_t>(size));
    return text;
  }

 private:
  Fd socket_;
};

TEST(Notifier, TellsAManagerAtAPath) {
  std::string directory = (std::filesystem::temp_directory_path() / "adit-notify-XXXXXX").string();
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  {
    Manager manager(directory + "/notify");
    const Notifier notifier;
    std::filesystem::remove(directory + "/notify");  // it need not be reached again by its name
    notifier.ready("wg0: udp port 342");
    notifier.stopping();
    EXPECT_EQ(manager.heard(), "READY=1\nSTATUS=wg0: udp port 342\n");
    EXPECT_EQ(manager.heard(), "STOPPING=1\nSTATUS=stopping\n");
    EXPECT_EQ(std::getenv("NOTIFY_SOCKET"), nullptr) << "nobody else is to speak for this process";
  }
  std::filesystem::remove_all(directory);
}

TEST(Notifier, TellsNobodyWhereThereIsNoManager) {
  ::unsetenv("NOTIFY_SOCKET");
  const Notifier notifier;
  notifier.ready("wg0");
  notifier.reloading();
}

TEST(Notifier, RefusesASocketThatIsNotThere) {
  for (const char* name : {"/nowhere/notify", "vsock:2:1"}) {
    ::setenv("NOTIFY_SOCKET", name, 1);
    EXPECT_THROW(Notifier(), std::system_error) << name;
  }
  ::unsetenv("NOTIFY_SOCKET");
}

TEST(Notifier, SaysWhenAReloadBeganByTheManagersClock) {
  using std::chrono::microseconds;
  EXPECT_EQ(reloading_text(microseconds(1234567)),
            "RELOADING=1\nMONOTONIC_USEC=1234567\nSTATUS=reading the configuration\n");
}

}  // namespace
}  // namespace adit::daemon
