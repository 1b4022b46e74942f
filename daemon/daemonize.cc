#include "daemon/daemonize.h"

#include <fcntl.h>
#include <spawn.h>

#include <cstdlib>

#include "daemon/program.h"
#include "net/fd.h"

/// POSIX leaves it to programs to declare it.
extern char** environ;

namespace adit::daemon {
namespace {

constexpr int kTunFd = 3;
constexpr int kControlFd = 4;
/// Copies that are inherited are made from above the numbers they are to get: none then overwrites another.
constexpr int kAbove = 100;

void check(const std::string& what, int error) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

class FileActions {
 public:
  FileActions() { check(kWhat, posix_spawn_file_actions_init(&actions_)); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void give(const Fd& fd, int number) { check(kWhat, posix_spawn_file_actions_adddup2(&actions_, fd.get(), number)); }
  void close_from(int number) { check(kWhat, posix_spawn_file_actions_addclosefrom_np(&actions_, number)); }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

  static constexpr const char* kWhat = "start in the background";

 private:
  posix_spawn_file_actions_t actions_;
};

Fd copy_above(int fd) { return Fd(check_call(FileActions::kWhat, ::fcntl(fd, F_DUPFD_CLOEXEC, kAbove))); }

}  // namespace

void start_in_background(const std::vector<std::string>& arguments, const std::vector<int>& tun_fds, int control_fd,
                         bool keep_output) {
  const Fd null(check_call("open /dev/null", ::open("/dev/null", O_RDWR | O_CLOEXEC)));
  const Fd null_copy = copy_above(null.get());
  const Fd control_copy = copy_above(control_fd);
  std::vector<Fd> tun_copies;
  tun_copies.reserve(tun_fds.size());
  for (const int fd : tun_fds) tun_copies.push_back(copy_above(fd));
  FileActions actions;
  actions.give(null_copy, STDIN_FILENO);
  if (!keep_output) actions.give(null_copy, STDOUT_FILENO);
  if (!keep_output) actions.give(null_copy, STDERR_FILENO);
  actions.give(tun_copies.front(), kTunFd);
  actions.give(control_copy, kControlFd);
  int next = kFirstMoreFd;
  for (size_t i = 1; i < tun_copies.size(); ++i) actions.give(tun_copies[i], next++);
  // What our caller has open stays its own: the lock of a script that ran us would otherwise be held as long as we run.
  actions.close_from(next);

  ::setenv(kTunVariable, std::to_string(kTunFd).c_str(), 1);
  ::setenv(kUapiVariable, std::to_string(kControlFd).c_str(), 1);
  ::setenv(kForegroundVariable, "1", 1);
  ::setenv(kTakesOverVariable, std::to_string(tun_fds.size() - 1).c_str(), 1);
  std::vector<std::string> words = arguments;
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string program = program_path();
  pid_t pid = 0;
  check(FileActions::kWhat, posix_spawn(&pid, program.c_str(), actions.get(), nullptr, argv.data(), environ));
}

}  // namespace adit::daemon
