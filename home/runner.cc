#include "home/runner.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <system_error>

extern char** environ;

namespace adit::home {
namespace {

constexpr long kMostOutput = 4096;

/// A file and not a pipe: a service that the program leaves behind would hold a pipe open, and we wait for its end.
using Output = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

std::string end_of(const Output& output) {
  std::fseek(output.get(), 0, SEEK_END);
  const long size = std::ftell(output.get());
  std::fseek(output.get(), std::max(0L, size - kMostOutput), SEEK_SET);
  std::array<char, kMostOutput> buffer;
  return {buffer.data(), std::fread(buffer.data(), 1, buffer.size(), output.get())};
}

class FileActions {
 public:
  explicit FileActions(int output) {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions_, output, STDERR_FILENO);
    if (output > STDERR_FILENO) ::posix_spawn_file_actions_addclose(&actions_, output);
  }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "wait for a program");
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool is_plain(char character) {
  return std::isalnum(static_cast<unsigned char>(character)) != 0 || std::strchr("_-+./:,@%=", character) != nullptr;
}

std::string as_word(const std::string& word) {
  if (!word.empty() && std::ranges::all_of(word, is_plain)) return word;
  std::string quoted("'");
  for (const char character : word) quoted += character == '\'' ? std::string("'\\''") : std::string(1, character);
  return quoted + "'";
}

}  // namespace

Ended ProgramRunner::run(const std::vector<std::string>& words) {
  if (words.empty()) throw std::invalid_argument("a command without a program");
  const Output output(std::tmpfile(), std::fclose);
  if (!output) throw std::system_error(errno, std::generic_category(), "make a temporary file");
  const FileActions actions(::fileno(output.get()));
  std::vector<std::string> copies = words;
  std::vector<char*> arguments;
  arguments.reserve(copies.size() + 1);
  for (std::string& word : copies) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error = ::posix_spawnp(&child, words[0].c_str(), actions.get(), nullptr, arguments.data(), environ);
  if (error != 0) return {127, std::generic_category().message(error)};
  const int status = wait_for(child);
  return {status, end_of(output)};
}

std::string to_line(const std::vector<std::string>& words) {
  std::string line;
  for (const std::string& word : words) line += (line.empty() ? "" : " ") + as_word(word);
  return line;
}

}  // namespace adit::home
