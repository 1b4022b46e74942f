#include "home/apply.h"

#include <algorithm>
#include <map>

#include "config/problems.h"
#include "home/state.h"

namespace adit::home {
namespace {

constexpr const char* kGoOnOrBack = "`adit home apply` goes on, `adit home remove` goes back";

/// The last line that says something.
std::string last_line(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == '\r')) text.pop_back();
  return text.substr(text.rfind('\n') + 1);
}

std::string how_it_ended(const Ended& ended) {
  const std::string said = last_line(ended.output);
  return "exit status " + std::to_string(ended.status) + (said.empty() ? "" : ", " + said);
}

/// Copies of files as they would be, for as long as this lives.
class Staging {
 public:
  Staging(Tree& tree, const std::vector<Change>& changes) : tree_(tree), changes_(changes) {}
  ~Staging() {
    try {
      if (!directory_.empty()) tree_.remove_all(directory_);
    } catch (const std::exception&) {  // the next command takes it away
    }
  }
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// The word with each {PATH} in it replaced by the copy's path.
  std::string in_place(std::string word) {
    for (size_t open = word.find("{/"); open != word.npos; open = word.find("{/", open)) {
      const size_t close = word.find('}', open);
      if (close == word.npos) break;
      const std::string copy = copy_of(word.substr(open + 1, close - open - 1));
      word.replace(open, close + 1 - open, copy);
      open += copy.size();
    }
    return word;
  }

 private:
  const std::string& copy_of(const std::string& path) {
    if (const auto known = copies_.find(path); known != copies_.end()) return known->second;
    if (directory_.empty()) directory_ = make_staging_directory(tree_);
    const std::string copy =
        directory_ + "/" + std::to_string(copies_.size() + 1) + "-" + path.substr(path.rfind('/') + 1);
    tree_.write(copy, text_of(path), 0600);
    return copies_[path] = tree_.outside(copy).string();
  }

  std::string text_of(const std::string& path) const {
    const auto change = std::ranges::find(changes_, path, &Change::path);
    if (change != changes_.end()) return change->after.value_or("");
    require_plain(path);
    const auto found = tree_.read(path);
    return found ? found->text : "";
  }

  Tree& tree_;
  const std::vector<Change>& changes_;
  std::string directory_;
  std::map<std::string, std::string> copies_;
};

/// One apply or remove.
class Work {
 public:
  Work(Tree& tree, Runner* runner, const Say& say) : tree_(tree), runner_(runner), say_(say) {
    tree_.lock();
    made_ = load_manifest(tree_);
    clean_up(tree_, made_);
  }

  Outcome apply(const Plan& plan) {
    transition_ = find_transition(plan, made_.value_or(Manifest()), tree_);
    refuse_foreign();
    if (runner_ != nullptr && transition_.starts) check(plan.checks);
    store_manifest(tree_, transition_.during);
    run(transition_.stop, "before the files change");
    change_files();
    store_manifest(tree_, transition_.after);
    if (transition_.starts) start(plan.start);
    return std::move(outcome_);
  }

  Outcome remove() {
    if (!made_) {
      outcome_.found_nothing = true;
      return std::move(outcome_);
    }
    transition_ = find_transition(Plan(), *made_, tree_);
    // Whoever applies again after a half of this has all to start anew.
    Manifest during = *made_;
    during.started = false;
    store_manifest(tree_, during);
    run(made_->stop, "before the files go");
    change_files();
    discard_manifest(tree_, transition_.after);
    return std::move(outcome_);
  }

 private:
  void refuse_foreign() const {
    std::string all;
    for (const Change& change : transition_.changes) {
      if (change.state == State::foreign) all += (all.empty() ? "" : ", ") + change.path;
    }
    if (all.empty()) return;
    throw ApplyError("home apply: there is already " + all +
                     ", which adit did not write (nothing was changed; move what is there away)");
  }

  void check(const std::vector<Command>& checks) {
    Staging staging(tree_, transition_.changes);
    for (const Command& check : checks) {
      std::vector<std::string> words;
      for (const std::string& word : check.words) words.push_back(staging.in_place(word));
      const Ended ended = runner_->run(words);
      if (ended.status == 0) continue;
      say_(ended.output);
      const std::string why = check.why.empty() ? "" : "\"" + check.why + "\", ";
      throw ApplyError("home apply: check " + why + "`" + to_line(check.words) + "`: " + how_it_ended(ended) +
                       " (nothing was changed)");
    }
  }

  void run_one(const Command& command, const std::string& how_far) {
    if (runner_ == nullptr) {
      outcome_.left.push_back(command);
      return;
    }
    const Ended ended = runner_->run(command.words);
    if (ended.status != 0) {
      throw ApplyError("run `" + to_line(command.words) + "`: " + how_it_ended(ended) + " (" + how_far + "; " +
                       kGoOnOrBack + ")");
    }
    outcome_.ran.push_back(command);
    say_("ran " + to_line(command.words));
  }

  void run(const std::vector<Command>& commands, const std::string& when) {
    for (size_t i = 0; i < commands.size(); ++i) {
      run_one(commands[i], std::to_string(i) + " of " + config::counted(commands.size(), "command") + " done " + when);
    }
  }

  void start(const std::vector<Command>& commands) {
    run(commands, "after the files were written");
    // A tree that is not this machine's is started when it is one.
    if (runner_ == nullptr) return;
    transition_.after.started = true;
    store_manifest(tree_, transition_.after);
  }

  void change_files() {
    make_directories();
    for (Change& change : transition_.changes) {
      if (change.state == State::same) continue;
      make(change);
      say_(to_sentence(change));
      outcome_.changes.push_back(change);
    }
    for (const std::string& directory : transition_.old_directories) {
      if (!tree_.remove_directory(directory)) transition_.after.directories.push_back(directory);
    }
  }

  void make_directories() {
    for (const std::string& directory : transition_.new_directories) {
      if (!tree_.has_directory(directory)) tree_.make_directory(directory);
    }
  }

  void make(const Change& change) {
    const auto now = tree_.read(change.path);
    const bool same = now ? change.before && now->text == change.before->text : !change.before;
    if (!same) throw ApplyError("write " + change.path + ": somebody changed it just now (" + kGoOnOrBack + ")");
    if (!change.after) return tree_.remove(change.path);
    const bool keeps_owner = !change.is_ours_alone() && change.before;
    tree_.write(change.path, *change.after, change.mode, keeps_owner ? &*change.before : nullptr);
  }

  Tree& tree_;
  Runner* runner_;
  const Say& say_;
  std::optional<Manifest> made_;
  Transition transition_;
  Outcome outcome_;
};

}  // namespace

Transition look(const Tree& tree, const Plan& plan) {
  return find_transition(plan, load_manifest(tree).value_or(Manifest()), tree);
}

Outcome apply(Tree& tree, const Plan& plan, Runner* runner, const Say& say) {
  return Work(tree, runner, say).apply(plan);
}

Outcome remove(Tree& tree, Runner* runner, const Say& say) { return Work(tree, runner, say).remove(); }

std::string to_sentence(const Change& change) {
  std::string text = (change.after ? "wrote " : "removed ") + change.path;
  std::string blocks;
  for (const BlockState& block : change.blocks) {
    if (block.state == State::same) continue;
    blocks += (blocks.empty() ? " (" : ", ") + std::string(name_of(block.state)) + " block " + block.name;
  }
  return text + blocks + (blocks.empty() ? "" : ")");
}

}  // namespace adit::home
