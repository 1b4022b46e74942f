#include "home/transition.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>

namespace adit::home {
namespace {

bool is_same(const Command& a, const Command& b) { return a.words == b.words; }

bool has(const std::vector<Command>& commands, const Command& wanted) {
  return std::ranges::any_of(commands, [&](const Command& each) { return is_same(each, wanted); });
}

bool has(const std::vector<std::string>& all, const std::string& wanted) {
  return std::ranges::find(all, wanted) != all.end();
}

/// What the plan alone would leave in a manifest.
Manifest wanted_by(const Plan& plan, const Manifest& made, const std::vector<Change>& changes) {
  Manifest wanted;
  for (const OwnFile& file : plan.files) wanted.files.push_back({file.path, file.mode});
  for (const OwnBlock& block : plan.blocks) wanted.blocks.push_back({block.path, block.name});
  for (const Change& change : changes) {
    if (change.is_ours_alone() || !change.after) continue;
    // A file that was found and has gone since would be ours when it comes again.
    const bool is_new = !change.before || made.file(change.path) != nullptr;
    if (is_new || made.has_created(change.path)) wanted.created.push_back(change.path);
  }
  wanted.start = plan.start;
  wanted.stop = plan.stop;
  return wanted;
}

Manifest together(const Manifest& made, const Manifest& wanted) {
  Manifest both = made;
  for (const Manifest::File& file : wanted.files) {
    const auto old = std::ranges::find(both.files, file.path, &Manifest::File::path);
    if (old == both.files.end()) {
      both.files.push_back(file);
    } else {
      old->mode &= file.mode;  // whoever of the two was secret
    }
  }
  for (const Manifest::Block& block : wanted.blocks) {
    if (!both.has_block(block.path, block.name)) both.blocks.push_back(block);
  }
  for (const std::string& path : wanted.created) {
    if (!both.has_created(path)) both.created.push_back(path);
  }
  both.start = wanted.start;
  for (const Command& command : wanted.stop) {
    if (!has(both.stop, command)) both.stop.push_back(command);
  }
  return both;
}

std::vector<std::string> all_directories(const Manifest& manifest) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& path) {
    for (const std::string& directory : directories_above(path)) {
      if (!has(all, directory)) all.push_back(directory);
    }
  };
  add(kManifestPath);
  for (const Manifest::File& file : manifest.files) add(file.path);
  for (const Manifest::Block& block : manifest.blocks) add(block.path);
  return all;
}

void find_directories(const TreeView& tree, const Manifest& made, Transition& transition) {
  const std::vector<std::string> wanted = all_directories(transition.after);
  for (const std::string& directory : wanted) {
    if (!tree.has_directory(directory)) transition.new_directories.push_back(directory);
  }
  for (const std::string& directory : transition.new_directories) {
    if (!has(transition.during.directories, directory)) transition.during.directories.push_back(directory);
  }
  for (const std::string& directory : transition.during.directories) {
    if (has(wanted, directory)) transition.after.directories.push_back(directory);
  }
  for (auto each = made.directories.rbegin(); each != made.directories.rend(); ++each) {
    if (!has(wanted, *each)) transition.old_directories.push_back(*each);
  }
  std::ranges::stable_sort(transition.old_directories, std::greater(), &std::string::size);
}

}  // namespace

bool Transition::changes_files() const {
  return std::ranges::any_of(changes, [](const Change& change) { return change.state != State::same; });
}

std::vector<std::string> directories_above(const std::string& path) {
  std::vector<std::string> directories;
  for (size_t slash = path.find('/', 1); slash != path.npos; slash = path.find('/', slash + 1)) {
    directories.push_back(path.substr(0, slash));
  }
  return directories;
}

Transition find_transition(const Plan& plan, const Manifest& made, const TreeView& tree) {
  Transition transition;
  transition.changes = find_changes(plan, made, tree);
  transition.after = wanted_by(plan, made, transition.changes);
  transition.during = together(made, transition.after);
  find_directories(tree, made, transition);
  std::ranges::copy_if(made.stop, std::back_inserter(transition.stop),
                       [&](const Command& command) { return !has(plan.stop, command); });
  const bool same_start = std::ranges::equal(made.start, plan.start, is_same);
  transition.starts = transition.changes_files() || !same_start || !made.started;
  transition.during.started = !transition.starts && made.started;
  transition.after.started = transition.during.started;
  return transition;
}

}  // namespace adit::home
