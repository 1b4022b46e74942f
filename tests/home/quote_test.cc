#include "home/quote.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/home/plan_checks.h"

namespace adit::home {
namespace {

std::string read_by_jail(const std::string& quoted) {
  std::string outside;
  bool is_sound = true;
  const auto strings = jail_strings(quoted, outside, is_sound);
  return is_sound && strings.size() == 1 && outside == "\"" ? strings[0] : "not one string";
}

TEST(JailQuotes, KeepWhatMeansSomethingToJailConf) {
  EXPECT_EQ(jail_quoted("echo \"$HOME\" \\n"), "\"echo \\\"\\$HOME\\\" \\\\n\"");
  for (const std::string text : {"a", "\\", "\"", "$x ${y}", "'; }", "# // /* */", "\\\\\"", "$", "a\\"}) {
    EXPECT_EQ(read_by_jail(jail_quoted(text)), text);
  }
}

TEST(JailQuotes, KeepAnyPrintableText) {
  std::mt19937 random(7);
  for (int i = 0; i < 1000; ++i) {
    std::string text;
    for (auto size = random() % 50; size != 0; --size) text += static_cast<char>(' ' + random() % 95);
    EXPECT_EQ(read_by_jail(jail_quoted(text)), text);
  }
}

TEST(ShellQuotes, KeepAnythingAndAnApostropheToo) {
  EXPECT_EQ(sh_quoted("a $b `c` \"d\""), "'a $b `c` \"d\"'");
  EXPECT_EQ(sh_quoted("it's"), "'it'\\''s'");
}

}  // namespace
}  // namespace adit::home
