#include "daemon/lab/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "daemon/lab/stage.h"
#include "daemon/lab/waiting.h"
#include "net/fd.h"

namespace adit::lab {
namespace {

/// The child's side of a start: becomes the program, or tells why not through `report`.
[[noreturn]] void become(const Command& command, pid_t parent, const Fd& report) {
  die_with(parent);
  release_interrupts();
  if (!command.log.empty()) {
    const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
  }
  for (const auto& [name, value] : command.environment) {
    ::setenv(name.c_str(), value.c_str(), 1);
  }
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(::strdup(word.c_str()));
  words.push_back(nullptr);
  ::execvp(words.front(), words.data());
  const int error = errno;
  (void)!::write(report.get(), &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Process::Process(Command command) : command_(std::move(command)) {
  const std::string what = "start " + command_.name;
  std::array<int, 2> ends{};
  check_call(what, ::pipe2(ends.data(), O_CLOEXEC));
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const pid_t parent = ::getpid();
  pid_ = check_call(what, ::fork());
  if (pid_ == 0) become(command_, parent, writer);

  writer = Fd();  // so that the read ends when the child's end is closed, which a successful exec does
  int error = 0;
  if (::read(reader.get(), &error, sizeof error) == 0) return;
  ::waitpid(pid_, nullptr, 0);
  throw std::system_error(error, std::generic_category(), what);
}

Process::~Process() {
  if (has_ended()) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool Process::has_ended() {
  int status = 0;
  if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  return status_.has_value();
}

void Process::require_running() {
  if (has_ended()) throw std::runtime_error(command_.name + " ended. Its log:\n" + log());
}

void Process::finish(seconds patience) {
  wait_for(command_.name, patience, [this] { return has_ended(); });
  if (*status_ != 0) throw std::runtime_error(command_.name + " failed. Its log:\n" + log());
}

std::string Process::log() const {
  std::ostringstream text;
  text << std::ifstream(command_.log).rdbuf();
  return text.str();
}

bool is_installed(const std::string& program) {
  if (program.find('/') != program.npos) return ::access(program.c_str(), X_OK) == 0;
  const char* path = std::getenv("PATH");
  std::istringstream directories(path == nullptr ? "" : path);
  for (std::string directory; std::getline(directories, directory, ':');) {
    if (::access((std::filesystem::path(directory) / program).c_str(), X_OK) == 0) return true;
  }
  return false;
}

}  // namespace adit::lab
