// Running the programs of a plan. The seam at which tests only write down what would be run.
#pragma once

#include <string>
#include <vector>

#include "home/plan.h"

namespace adit::home {

struct Ended {
  int status = 0;      ///< exit status; as shells say, 128 + the signal, and 127 if it could not be started
  std::string output;  ///< the end of what it wrote to standard output and standard error
};

class Runner {
 public:
  virtual ~Runner() = default;
  /// Waits for its end. `words`: the program, looked up in PATH unless it has a slash, and its arguments.
  virtual Ended run(const std::vector<std::string>& words) = 0;
};

/// Runs them, without a shell and with nothing on standard input.
class ProgramRunner : public Runner {
 public:
  Ended run(const std::vector<std::string>& words) override;
};

/// As a person would type it into a shell.
std::string to_line(const std::vector<std::string>& words);

}  // namespace adit::home
