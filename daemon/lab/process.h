// A program that we start and that cannot outlive us.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/time.h"

namespace adit::lab {

struct Command {
  std::string name;                                // for messages
  std::vector<std::string> words;                  // the program, looked up in PATH unless it is a path; its arguments
  std::map<std::string, std::string> environment;  // in addition to our own
  std::filesystem::path log;                       // where its output goes; empty: where ours goes
};

class Process {
 public:
  /// Starts the program, in the place that was entered last.  Throws std::system_error if it cannot be.
  explicit Process(Command command);
  /// Kills it and waits for its end.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Throws std::runtime_error with the program's log if it has ended.
  void require_running();
  /// Waits for its end.  Throws std::runtime_error if that does not come or is not exit status 0.
  void finish(seconds patience);
  [[nodiscard]] const std::string& name() const noexcept { return command_.name; }
  [[nodiscard]] pid_t id() const noexcept { return pid_; }
  /// What it has written to its log.
  [[nodiscard]] std::string log() const;

 private:
  [[nodiscard]] bool has_ended();

  Command command_;
  pid_t pid_ = -1;
  std::optional<int> status_;  // as waitpid() gives it, once it has ended
};

/// Whether there is a program at this path, or one of this name in PATH.
bool is_installed(const std::string& program);

}  // namespace adit::lab
