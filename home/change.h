// A plan beside what is there: what would change, file by file. Pure but for what it asks of a TreeView.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "home/manifest.h"
#include "home/plan.h"
#include "home/tree.h"

namespace adit::home {

enum class State {
  same,     ///< as the plan wants it
  added,    ///< not there yet
  changed,  ///< there, but otherwise
  removed,  ///< there, and no longer planned
  foreign,  ///< somebody else's file where one of ours is to be
};

struct BlockState {
  std::string name;
  State state = State::same;
};

/// What becomes of one file.
struct Change {
  std::string path;
  State state = State::same;
  std::vector<BlockState> blocks;    ///< ours in a file of others; empty for a file that is ours alone
  std::optional<Found> before;       ///< nothing: it is not there
  std::optional<std::string> after;  ///< nothing: it is not to be there
  unsigned mode = 0644;              ///< afterwards
  bool secret = false;               ///< not for other users to read, before or after: its text is not to be shown

  [[nodiscard]] bool is_ours_alone() const noexcept { return blocks.empty(); }
};

/// In the order in which they are to be made: what goes, blocks before files; then what comes, files before blocks.
/// Same and foreign files are among them.
/// Throws std::invalid_argument for a plan that contradicts itself, std::runtime_error for files that cannot be read
/// and for damaged blocks, naming file and line.
std::vector<Change> find_changes(const Plan& plan, const Manifest& made, const TreeView& tree);

/// "same", "added" and so on.
const char* name_of(State state) noexcept;

}  // namespace adit::home
