// What the companion wants to be on the machine at home: files, blocks of lines, and commands. Pure data: made by
// `plan` (home/home.h) from a configuration alone, carried out by home/apply.h, shown by home/diff.h.
#pragma once

#include <string>
#include <vector>

namespace adit {

/// A file that is the companion's alone. A file that is there and is not its own is an error of apply, never
/// overwritten.
struct OwnFile {
  std::string path;  ///< absolute, as on the machine itself; --root goes before it
  std::string text;
  unsigned mode = 0644;
};

/// Where a block goes in a file that others write too.
enum class Place {
  end,             ///< after the last line
  pf_translation,  ///< pf.conf: after options, tables and normalization, before the first translation or filter rule
};

/// Lines between "# BEGIN adit NAME" and "# END adit NAME" in a file that others write too, or that is not there yet.
struct OwnBlock {
  std::string path;
  std::string name;  ///< unique within the file
  std::string text;  ///< whole lines
  Place place = Place::end;
};

/// A program and its arguments, run without a shell, and why, for whoever reads the plan.
struct Command {
  std::vector<std::string> words;
  std::string why;
};

struct Plan {
  std::vector<OwnFile> files;
  std::vector<OwnBlock> blocks;
  /// Run before anything changes, with {PATH} in an argument standing for a staged copy of that file as it would be.
  std::vector<Command> checks;
  /// Run after the files are in place, in this order. Each may be repeated without harm.
  std::vector<Command> start;
  /// Run before the files go, in this order. Each may be repeated without harm, also when what it stops is not there.
  std::vector<Command> stop;
};

}  // namespace adit
