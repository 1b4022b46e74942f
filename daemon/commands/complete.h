// `adit complete WORD...`: what a shell offers for the last of the words.  It answers from the declarations that parse
// the command line, so shells offer what there is; completions/ has what each shell makes of it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace adit::daemon {

struct Completion {
  std::string word;
  std::string description;  // one line, may be empty
};

/// What stands for the names of files, which shells know better.
inline constexpr const char* kCompleteFiles = ":files";

/// What the last of `words` may become, which follow the program's name and may be empty.  `interfaces` are the names
/// that there are.  Nothing that does not begin as that word does, but kCompleteFiles.
std::vector<Completion> find_completions(const CLI::App& app, const std::vector<std::string>& words,
                                         const std::vector<std::string>& interfaces);

/// A line for each, with a tab before the description.
int complete(const CLI::App& app, const std::vector<std::string>& words);

}  // namespace adit::daemon
