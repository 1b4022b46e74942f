// From what an earlier apply made to what a plan wants: everything that apply decides before it does anything. Pure but
// for what it asks of a TreeView.
#pragma once

#include <string>
#include <vector>

#include "home/change.h"
#include "home/manifest.h"
#include "home/plan.h"

namespace adit::home {

struct Transition {
  std::vector<Change> changes;  ///< see find_changes
  /// What is to be known on the disk before the first change: all that was made and all that will be.
  Manifest during;
  /// What is to be known after the last change and before the commands that start; its directories are those that are
  /// wanted, and more if somebody has put something into the others.
  Manifest after;
  /// Directories that are to be made, outer ones first.
  std::vector<std::string> new_directories;
  /// Directories that were made and are not wanted any more, inner ones first.
  std::vector<std::string> old_directories;
  /// What the earlier plan would have ended with and the new one does not know, to be run before anything goes.
  std::vector<Command> stop;
  /// Whether the plan's start commands are to be run.
  bool starts = false;

  [[nodiscard]] bool changes_files() const;
};

/// Throws what find_changes throws.
Transition find_transition(const Plan& plan, const Manifest& made, const TreeView& tree);

/// Where the manifest is, and the directories above it, outer ones first.
inline constexpr const char* kManifestPath = "/var/db/adit/home/manifest";
std::vector<std::string> directories_above(const std::string& path);

}  // namespace adit::home
