// What apply has made on a machine, so that remove needs nothing else: a text file below /var/db/adit/home.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "home/plan.h"

namespace adit::home {

struct Manifest {
  struct File {
    std::string path;
    unsigned mode = 0644;
  };
  struct Block {
    std::string path;
    std::string name;
  };

  bool started = false;                  ///< every command of `start` has run since the last change
  std::vector<std::string> directories;  ///< made for what is in them, outer ones first
  std::vector<File> files;
  std::vector<std::string> created;  ///< files that were not there before their blocks
  std::vector<Block> blocks;
  std::vector<Command> start;
  std::vector<Command> stop;

  [[nodiscard]] const File* file(std::string_view path) const;
  [[nodiscard]] bool has_created(std::string_view path) const;
  [[nodiscard]] bool has_block(std::string_view path, std::string_view name) const;
};

/// "0600"
std::string to_octal(unsigned mode);

/// One item a line, its fields between tabs.
std::string to_text(const Manifest& manifest);
/// Throws std::runtime_error that names the line.
Manifest parse_manifest(std::string_view text);

}  // namespace adit::home
