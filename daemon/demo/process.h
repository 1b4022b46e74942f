// A program that the demo starts and that cannot outlive it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/time.h"

namespace adit::demo {

struct Command {
  std::string name;                                // for messages
  std::vector<std::string> words;                  // the program, looked up in PATH unless it is a path; its arguments
  std::map<std::string, std::string> environment;  // in addition to the demo's own
  std::filesystem::path log;                       // where its output goes; empty: where the demo's goes
};

class Process {
 public:
  /// Starts the program, in the place where the demo is at the moment.  Throws std::system_error if it cannot be.
  explicit Process(Command command);
  /// Kills it and waits for its end.
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Throws std::runtime_error with the program's log if it has ended.
  void require_running();
  /// Waits for its end.  Throws std::runtime_error if that does not come or is not exit status 0.
  void finish(seconds patience);
  /// What it has written to its log.
  [[nodiscard]] std::string log() const;

 private:
  [[nodiscard]] bool has_ended();

  Command command_;
  pid_t pid_ = -1;
  std::optional<int> status_;  // as waitpid() gives it, once it has ended
};

/// Whether a program of this name is in PATH.
bool is_installed(const std::string& program);

}  // namespace adit::demo
