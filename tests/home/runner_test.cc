// Programs without a shell.
#include "home/runner.h"

#include <gtest/gtest.h>

#include <chrono>

namespace adit::home {
namespace {

TEST(ProgramRunner, PassesWordsAsTheyAre) {
  const Ended ended = ProgramRunner().run({"printf", "%s|", "a b", "$HOME", "`id`", ""});
  EXPECT_EQ(ended.status, 0);
  EXPECT_EQ(ended.output, "a b|$HOME|`id`||");
}

TEST(ProgramRunner, GivesStatusAndTheEndOfBothOutputs) {
  const Ended ended = ProgramRunner().run({"sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(ended.status, 7);
  EXPECT_EQ(ended.output, "out\nerr\n");
  const Ended much = ProgramRunner().run({"sh", "-c", "i=0; while [ $i -lt 9999 ]; do echo $i; i=$((i + 1)); done"});
  EXPECT_LE(much.output.size(), 4096U);
  EXPECT_TRUE(much.output.ends_with("\n9998\n"));
}

TEST(ProgramRunner, NamesTheSignal) { EXPECT_EQ(ProgramRunner().run({"sh", "-c", "kill -9 $$"}).status, 128 + 9); }

TEST(ProgramRunner, SaysThatThereIsNoSuchProgram) {
  const Ended ended = ProgramRunner().run({"no-such-program-of-adit"});
  EXPECT_EQ(ended.status, 127);
  EXPECT_EQ(ended.output, "No such file or directory");
}

TEST(ProgramRunner, GivesNothingToRead) { EXPECT_EQ(ProgramRunner().run({"cat"}).output, ""); }

TEST(ProgramRunner, DoesNotWaitForAServiceThatStays) {
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ProgramRunner().run({"sh", "-c", "sleep 20 & echo started"}).output, "started\n");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST(CommandLine, IsWhatAPersonWouldType) {
  EXPECT_EQ(to_line({"service", "jail", "start"}), "service jail start");
  EXPECT_EQ(to_line({"sh", "-c", "it's $x", ""}), "sh -c 'it'\\''s $x' ''");
}

}  // namespace
}  // namespace adit::home
