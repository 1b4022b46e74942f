#include "tunnel/replay.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace adit::tunnel {
namespace {

constexpr uint64_t kBehind = 8128;                     // still accepted, if new
constexpr uint64_t kLimit = UINT64_MAX - kBehind - 1;  // refused from here on

struct Step {
  uint64_t counter;
  bool accepted;
};

void expect_steps(const std::vector<Step>& steps) {
  ReplayWindow window;
  for (size_t i = 0; i < steps.size(); ++i) {
    ASSERT_EQ(window.accept(steps[i].counter), steps[i].accepted) << "step " << i << ", counter " << steps[i].counter;
  }
}

TEST(ReplayWindow, AcceptsEachCounterOnceInOrder) {
  ReplayWindow window;
  for (uint64_t counter = 0; counter < 3 * 8192; ++counter) {
    ASSERT_TRUE(window.accept(counter)) << counter;
    ASSERT_FALSE(window.accept(counter)) << counter;
  }
}

TEST(ReplayWindow, AcceptsEachCounterOnceInReverseAsFarAsItReaches) {
  ReplayWindow window;
  ASSERT_TRUE(window.accept(kBehind + 100));
  for (uint64_t counter = kBehind + 99; counter > 99; --counter) ASSERT_TRUE(window.accept(counter)) << counter;
  for (uint64_t counter = 100; counter > 0; --counter) ASSERT_FALSE(window.accept(counter - 1)) << counter - 1;
}

TEST(ReplayWindow, FirstCounterMayBeAny) {
  expect_steps({{5, true}, {0, true}, {5, false}, {0, false}, {4, true}});
  expect_steps({{kLimit - 1, true}, {0, false}});
}

TEST(ReplayWindow, RemembersExactlyItsWidth) {
  expect_steps({{kBehind, true}, {0, true}, {kBehind + 1, true}, {0, false}, {1, true}, {1, false}});
  expect_steps({{1, true}, {kBehind + 2, true}, {1, false}, {2, true}});
}

TEST(ReplayWindow, AJumpOverTheWholeWindowForgetsNothingThatCounts) {
  expect_steps({{63, true},
                {64, true},
                {64 + 8192, true},
                {64 + 8192, false},
                {8192, true},
                {8192, false},
                {63, false},
                {64, false},
                {128, true},
                {128, false}});
  expect_steps({{0, true}, {1 << 20, true}, {(1 << 20) - kBehind, true}, {(1 << 20) - kBehind - 1, false}, {0, false}});
  // Words of the ring that were skipped must have been cleared: same bits, one ring further.
  expect_steps({{100, true}, {100 + 8192 + 64, true}, {100 + 8192, true}, {100 + 8192, false}});
}

TEST(ReplayWindow, RefusesCountersAtTheLimit) {
  expect_steps({{kLimit - 1, true},
                {kLimit - 1, false},
                {kLimit - 2, true},
                {kLimit, false},
                {kLimit + 1, false},
                {UINT64_MAX, false},
                {kLimit - 1 - kBehind, true},
                {kLimit - 2 - kBehind, false}});
  expect_steps({{UINT64_MAX, false}, {kLimit, false}, {0, true}, {1, true}});
}

/// What the window should be: the set of all it has seen, and how far back it promises to look.
class Model {
 public:
  bool accept(uint64_t counter) {
    if (counter >= kLimit) return false;
    if (newest_ > counter && newest_ - counter > kBehind) return false;
    newest_ = std::max(newest_, counter);
    return seen_.insert(counter).second;
  }

 private:
  std::set<uint64_t> seen_;
  uint64_t newest_ = 0;
};

TEST(ReplayWindow, DecidesAsASetOfAllCountersWould) {
  std::mt19937_64 random(20'240'229);
  for (const uint64_t reach : {40u, 200u, 9000u, 20000u}) {
    for (const uint64_t base : {uint64_t{0}, uint64_t{1} << 32, kLimit - 30000}) {
      ReplayWindow window;
      Model model;
      uint64_t middle = base;
      for (int i = 0; i < 6000; ++i) {
        const uint64_t counter = middle + random() % reach;
        ASSERT_EQ(window.accept(counter), model.accept(counter)) << counter << " after " << i;
        if (random() % 4 == 0) middle += random() % (reach / 8);
      }
    }
  }
}

}  // namespace
}  // namespace adit::tunnel
