// What changes, for people.
#include "home/diff.h"

#include <gtest/gtest.h>

#include <random>

namespace adit::home {
namespace {

std::string numbers(int first, int last) {
  std::string text;
  for (int i = first; i <= last; ++i) text += std::to_string(i) + "\n";
  return text;
}

TEST(Diff, HasThreeLinesOfContext) {
  EXPECT_EQ(hunks_of(numbers(1, 9), numbers(1, 4) + "new\n" + numbers(6, 9)),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+new\n 6\n 7\n 8\n");
}

TEST(Diff, JoinsHunksWhoseContextsMeet) {
  EXPECT_EQ(hunks_of(numbers(1, 8), "0\n" + numbers(1, 6) + "7a\n8\n"),
            "@@ -1,8 +1,9 @@\n+0\n 1\n 2\n 3\n 4\n 5\n 6\n-7\n+7a\n 8\n");
  EXPECT_EQ(hunks_of(numbers(1, 9), "0\n" + numbers(1, 7) + "8a\n9\n"),
            "@@ -1,3 +1,4 @@\n+0\n 1\n 2\n 3\n@@ -5,5 +6,5 @@\n 5\n 6\n 7\n-8\n+8a\n 9\n");
}

TEST(Diff, OfANewAndOfAGoneFileIsTheWholeFile) {
  EXPECT_EQ(hunks_of("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
  EXPECT_EQ(hunks_of("a\n", ""), "@@ -1 +0,0 @@\n-a\n");
  EXPECT_EQ(hunks_of("a\n", "a\n"), "");
}

TEST(Diff, SeesAMissingLastNewline) {
  EXPECT_EQ(hunks_of("a", "a\n"), "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

TEST(Diff, DoesNotLetFilesWriteToTheTerminal) {
  EXPECT_EQ(hunks_of("", "\x1b[2J\ta\r\n"), "@@ -0,0 +1 @@\n+\\x1b[2J\ta\\x0d\n");
}

/// The new text from the old one and a diff, by the hunks' own numbers.
std::string patched(const std::string& before, const std::string& hunks) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < before.size(); at = before.find('\n', at) + 1) {
    lines.push_back(before.substr(at, before.find('\n', at) + 1 - at));
  }
  std::string after;
  size_t next = 0;
  for (size_t at = 0; at < hunks.size();) {
    const size_t end = hunks.find('\n', at) + 1;
    const std::string line = hunks.substr(at, end - at);
    at = end;
    if (line[0] == '@') {
      size_t first = std::stoul(line.substr(4));
      if (line.find(",0 +") == line.npos) --first;  // of no lines, the one before
      while (next < first) after += lines.at(next++);
    } else if (line[0] == '+') {
      after += line.substr(1);
    } else {
      EXPECT_EQ(lines.at(next), line.substr(1));
      if (line[0] == ' ') after += lines.at(next);
      ++next;
    }
  }
  while (next < lines.size()) after += lines.at(next++);
  return after;
}

TEST(Diff, LeadsFromAnyTextToAnyOther) {
  std::mt19937 random(7);
  const auto text = [&] {
    std::string lines;
    for (size_t i = random() % 30; i > 0; --i) lines += std::string(1, static_cast<char>('a' + random() % 4)) + "\n";
    return lines;
  };
  for (int i = 0; i < 2000; ++i) {
    const std::string before = text();
    const std::string after = text();
    ASSERT_EQ(patched(before, hunks_of(before, after)), after) << before << "---\n" << after;
  }
}

Change change_of(const std::string& before, const std::string& after, unsigned mode, bool secret) {
  Change change;
  change.path = "/etc/wg0.conf";
  change.state = before.empty() ? State::added : State::changed;
  if (!before.empty()) change.before = Found{before, mode, 0, 0};
  change.after = after;
  change.mode = mode;
  change.secret = secret;
  return change;
}

TEST(Diff, NeverShowsASecret) {
  EXPECT_EQ(to_diff(change_of("", "key\n", 0600, true)),
            "--- /dev/null\n+++ /etc/wg0.conf (mode 0600)\n(a secret file: not shown; 4 bytes, mode 0600)\n");
  Change gone = change_of("key\n", "", 0600, true);
  gone.after.reset();
  EXPECT_EQ(to_diff(gone), "--- /etc/wg0.conf\n+++ /dev/null\n(a secret file: not shown)\n");
}

TEST(Diff, SaysThatAModeChanges) {
  Change change = change_of("a\n", "a\n", 0644, false);
  change.before->mode = 0666;
  EXPECT_EQ(to_diff(change), "--- /etc/wg0.conf (mode 0666)\n+++ /etc/wg0.conf (mode 0644)\n");
}

TEST(Diff, NamesBlocks) {
  Change change = change_of("a\n", "a\nb\n", 0644, false);
  change.blocks = {{"x", State::same}, {"y", State::added}};
  EXPECT_EQ(to_diff(change), "--- /etc/wg0.conf\n+++ /etc/wg0.conf (blocks x, y)\n@@ -1 +1,2 @@\n a\n+b\n");
}

TEST(CommandList, HasEachReason) {
  EXPECT_EQ(to_list("Run:", {{{"a", "b c"}, "because"}, {{"d"}, ""}}), "Run:\n  a 'b c'\n      because\n  d\n");
  EXPECT_EQ(to_list("Run:", {}), "");
}

}  // namespace
}  // namespace adit::home
