// kill -9 before every single change of the file system and before every command: a child ends there, and from what it
// leaves both apply and remove finish.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "home/apply.h"
#include "tests/home/tree_lab.h"

namespace adit::home {
namespace {

using test::kSilent;
using test::plan_one;
using test::plan_two;
using test::Snapshot;
namespace fs = std::filesystem;

constexpr int kKilled = 9;
constexpr int kFinished = 0;
constexpr int kThrew = 1;

using Work = std::function<void(Tree&, Runner*)>;

Work applying(const Plan& plan) {
  return [plan](Tree& tree, Runner* runner) { apply(tree, plan, runner, kSilent); };
}
void removing(Tree& tree, Runner* runner) { remove(tree, runner, kSilent); }
void nothing(Tree&, Runner*) {}

void run(const fs::path& root, const Work& work) {
  Tree tree(root);
  test::Recorder recorder;
  work(tree, &recorder);
}

/// Runs it in a child that ends without a word before its `last`th step (counted from 0).
bool finishes_before(const fs::path& root, const Work& work, int last) {
  const pid_t child = ::fork();
  if (child == 0) {
    int steps = 0;
    const auto step = [&](const std::string&) {
      if (steps++ == last) ::_exit(kKilled);
    };
    try {
      Tree tree(root, step);
      test::Recorder recorder;
      recorder.before_ = step;
      work(tree, &recorder);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "%s\n", error.what());
      ::_exit(kThrew);
    }
    ::_exit(kFinished);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != kThrew);
  return WEXITSTATUS(status) == kFinished;
}

bool fails(const fs::path& root, const Work& work, const std::function<bool(int)>& fails_at) {
  int steps = 0;
  const auto step = [&](const std::string& what) {
    if (fails_at(steps++)) throw std::runtime_error(what);
  };
  try {
    Tree tree(root, step);
    test::Recorder recorder;
    recorder.before_ = step;
    work(tree, &recorder);
    return false;
  } catch (const std::runtime_error&) {
    return true;
  }
}

/// As if killed, and quicker than a child: from its `last`th step on nothing succeeds, nor does any tidying up.
bool changes_nothing_from(const fs::path& root, const Work& work, int last) {
  return !fails(root, work, [last](int step) { return step >= last; });
}

bool fails_once_at(const fs::path& root, const Work& work, int last) {
  return !fails(root, work, [last](int step) { return step == last; });
}

/// Without what only says in which order things came to be.
Snapshot essence(Snapshot snapshot) {
  snapshot.erase("var/db/adit/home/manifest");
  return snapshot;
}

struct Story {
  std::string name;
  bool furnished;
  Work before;
  Work interrupted;
  Plan plan;  // what is applied afterwards
};

class Interrupted : public ::testing::TestWithParam<Story> {
 protected:
  void prepare(const test::Folder& folder) {
    if (GetParam().furnished) test::furnish(folder.path());
    found_ = folder.snapshot();
    run(folder.path(), GetParam().before);
  }
  Snapshot found_;
};

TEST_P(Interrupted, AtAnyStepIsFinishedByApply) {
  test::Folder whole;
  prepare(whole);
  run(whole.path(), applying(GetParam().plan));
  int last = 0;
  for (bool finished = false; !finished; ++last) {
    test::Folder folder;
    prepare(folder);
    finished = finishes_before(folder.path(), GetParam().interrupted, last);
    run(folder.path(), applying(GetParam().plan));
    ASSERT_EQ(essence(folder.snapshot()), essence(whole.snapshot())) << "before step " << last;
    run(folder.path(), removing);
    ASSERT_EQ(folder.snapshot(), found_) << "before step " << last << ", applied and removed";
  }
  EXPECT_GT(last, 20);
}

TEST_P(Interrupted, AtAnyStepIsTakenBackByRemove) {
  for (int last = 0;; ++last) {
    test::Folder folder;
    prepare(folder);
    const bool finished = finishes_before(folder.path(), GetParam().interrupted, last);
    run(folder.path(), removing);
    ASSERT_EQ(folder.snapshot(), found_) << "before step " << last;
    if (finished) break;
  }
}

/// Every few steps of the first with every few of the second, beginning at each in turn.
TEST_P(Interrupted, TwiceIsTakenBackByRemove) {
  constexpr int kStride = 7;
  for (int first = 0;; ++first) {
    bool finished = false;
    for (int second = first % kStride;; second += kStride) {
      test::Folder folder;
      prepare(folder);
      finished = changes_nothing_from(folder.path(), GetParam().interrupted, first);
      const bool second_finished = changes_nothing_from(folder.path(), removing, second);
      run(folder.path(), removing);
      ASSERT_EQ(folder.snapshot(), found_) << "before step " << first << ", then " << second;
      if (second_finished) break;
    }
    if (finished) break;
  }
}

/// As on a disk that is full once: the program goes on to say so, and may tidy up.
TEST_P(Interrupted, ByOneFailureIsFinishedOrTakenBack) {
  for (int last = 0;; ++last) {
    test::Folder folder;
    prepare(folder);
    const bool finished = fails_once_at(folder.path(), GetParam().interrupted, last);
    if (last % 2 == 0) run(folder.path(), applying(GetParam().plan));
    run(folder.path(), removing);
    ASSERT_EQ(folder.snapshot(), found_) << "failing at step " << last;
    if (finished) break;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Each, Interrupted,
    ::testing::Values(Story{"FirstApply", true, nothing, applying(plan_one()), plan_one()},
                      Story{"FirstApplyToNothing", false, nothing, applying(plan_one()), plan_one()},
                      Story{"SecondPlan", true, applying(plan_one()), applying(plan_two()), plan_two()},
                      Story{"FirstPlanAgain", true, applying(plan_two()), applying(plan_one()), plan_one()},
                      Story{"Remove", true, applying(plan_two()), removing, plan_two()},
                      Story{"RemoveToNothing", false, applying(plan_one()), removing, plan_one()}),
    [](const auto& story) { return story.param.name; });

}  // namespace
}  // namespace adit::home
