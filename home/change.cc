#include "home/change.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "home/block.h"

namespace adit::home {
namespace {

constexpr unsigned kOthersMayRead = 0077;

bool is_private(unsigned mode) { return (mode & kOthersMayRead) == 0; }

void require_consistent(const Plan& plan) {
  std::set<std::string> files;
  for (const OwnFile& file : plan.files) {
    require_plain(file.path);
    if (!files.insert(file.path).second) throw std::invalid_argument("the plan has " + file.path + " twice");
  }
  std::set<std::pair<std::string, std::string>> blocks;
  for (const OwnBlock& block : plan.blocks) {
    require_plain(block.path);
    if (files.contains(block.path)) throw std::invalid_argument("the plan has " + block.path + " as file and as block");
    if (!blocks.emplace(block.path, block.name).second) {
      throw std::invalid_argument("the plan has block " + block.name + " of " + block.path + " twice");
    }
  }
}

/// Each path once, in the order of the first time.
template <typename Items>
std::vector<std::string> paths_of(const Items& items) {
  std::vector<std::string> paths;
  for (const auto& item : items) {
    if (std::ranges::find(paths, item.path) == paths.end()) paths.push_back(item.path);
  }
  return paths;
}

template <typename Items>
bool has_path(const Items& items, const std::string& path) {
  return std::ranges::any_of(items, [&](const auto& item) { return item.path == path; });
}

/// Makes the changes of single files.
class Comparison {
 public:
  Comparison(const Plan& plan, const Manifest& made, const TreeView& tree) : plan_(plan), made_(made), tree_(tree) {}

  Change own_file(const OwnFile& file) {
    Change change = begin(file.path);
    change.after = file.text;
    change.mode = file.mode;
    change.secret |= is_private(file.mode);
    if (change.before && made_.file(file.path) == nullptr && !is_left_by_blocks(change)) {
      change.state = State::foreign;
    } else if (!change.before) {
      change.state = State::added;
    } else if (change.before->text != file.text || change.before->mode != file.mode) {
      change.state = State::changed;
    }
    return change;
  }

  Change no_file(const Manifest::File& file) {
    Change change = begin(file.path);
    change.secret |= is_private(file.mode);
    if (change.before) change.state = State::removed;
    return change;
  }

  Change blocks_of(const std::string& path) {
    Change change = begin(path);
    try {
      edit(change);
    } catch (const DamagedBlock& damage) {
      throw std::runtime_error("read " + path + ":" + std::to_string(damage.line()) + ": " + damage.what() +
                               " (repair the lines by hand)");
    }
    return change;
  }

 private:
  Change begin(const std::string& path) {
    Change change;
    change.path = path;
    change.before = tree_.read(path);
    if (change.before) change.mode = change.before->mode;
    change.secret = change.before && is_private(change.before->mode);
    return change;
  }

  /// Whether all that is in the file are blocks of an earlier plan.
  [[nodiscard]] bool is_left_by_blocks(const Change& change) const {
    if (!made_.has_created(change.path)) return false;
    try {
      std::string text = change.before->text;
      for (const Manifest::Block& block : made_.blocks) {
        if (block.path == change.path) text = without_block(text, block.name);
      }
      return text.empty();
    } catch (const DamagedBlock&) {
      return false;
    }
  }

  void edit(Change& change) {
    // What was a file of ours alone has nothing of others in it.
    std::string text = change.before && made_.file(change.path) == nullptr ? change.before->text : "";
    const auto wanted = [&](const std::string& name) {
      return std::ranges::any_of(
          plan_.blocks, [&](const OwnBlock& block) { return block.path == change.path && block.name == name; });
    };
    for (const Manifest::Block& block : made_.blocks) {
      if (block.path != change.path || wanted(block.name)) continue;
      if (text_of_block(text, block.name)) change.blocks.push_back({block.name, State::removed});
      text = without_block(text, block.name);
    }
    for (const OwnBlock& block : plan_.blocks) {
      if (block.path != change.path) continue;
      const auto old = text_of_block(text, block.name);
      change.blocks.push_back({block.name, !old ? State::added : *old == block.text ? State::same : State::changed});
      text = with_block(text, block);
    }
    if (has_path(plan_.blocks, change.path) || (change.before && !is_empty_and_ours(change.path, text))) {
      change.after = text;
    }
    change.state = state_of(change);
  }

  [[nodiscard]] bool is_empty_and_ours(const std::string& path, const std::string& text) const {
    return text.empty() && made_.has_created(path);
  }

  static State state_of(const Change& change) {
    if (!change.before) return change.after ? State::added : State::same;
    if (!change.after) return State::removed;
    return *change.after == change.before->text ? State::same : State::changed;
  }

  const Plan& plan_;
  const Manifest& made_;
  const TreeView& tree_;
};

}  // namespace

std::vector<Change> find_changes(const Plan& plan, const Manifest& made, const TreeView& tree) {
  require_consistent(plan);
  Comparison comparison(plan, made, tree);
  std::vector<Change> changes;
  const auto is_planned = [&](const std::string& path) {
    return has_path(plan.files, path) || has_path(plan.blocks, path);
  };
  for (const std::string& path : paths_of(made.blocks)) {
    if (!is_planned(path) && made.file(path) == nullptr) changes.push_back(comparison.blocks_of(path));
  }
  for (const Manifest::File& file : made.files) {
    if (!is_planned(file.path)) changes.push_back(comparison.no_file(file));
  }
  for (const OwnFile& file : plan.files) changes.push_back(comparison.own_file(file));
  for (const std::string& path : paths_of(plan.blocks)) changes.push_back(comparison.blocks_of(path));
  return changes;
}

const char* name_of(State state) noexcept {
  switch (state) {
    case State::same:
      return "same";
    case State::added:
      return "added";
    case State::changed:
      return "changed";
    case State::removed:
      return "removed";
    case State::foreign:
      return "foreign";
  }
  return "";
}

}  // namespace adit::home
