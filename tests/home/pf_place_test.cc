// Where translation rules may stand in a pf.conf.
#include "home/pf_place.h"

#include <gtest/gtest.h>

#include <string>

namespace adit::home {
namespace {

/// The place is where "@" is in the text; at its end when there is none.
void expect_place(const std::string& marked) {
  const size_t at = marked.find('@');
  std::string text = marked;
  if (at != marked.npos) text.erase(at, 1);
  EXPECT_EQ(find_pf_translation(text), at == marked.npos ? text.size() : at) << marked;
}

TEST(PfPlace, IsBeforeEachKindOfRule) {
  for (const char* rule :
       {"nat on em0", "rdr pass on em0", "binat on em0", "no nat on em0", "no rdr on em0", "no binat on em0",
        "nat-anchor \"x\"", "rdr-anchor \"x\"", "binat-anchor \"x\"", "pass", "block in all", "match in all",
        "anchor \"x\" {", "antispoof for em0", "load anchor x from \"y\"", "pass{", "block#", "no \\\n nat"}) {
    expect_place("set skip on lo0\n@" + std::string(rule) + "\npass\n");
  }
}

TEST(PfPlace, IsAfterWhatComesBeforeTranslation) {
  expect_place("");
  expect_place("set skip on lo0\n");
  expect_place("set skip on lo0\ntable <jails> persist\nscrub in all\nno scrub out\nqueue q\nether pass\n");
  expect_place("include \"/etc/pf.more\"\n@pass\n");
  expect_place("# pass\n\n   # nat\n@  rdr on em0\n");
}

TEST(PfPlace, IsNotWithinMacros) {
  expect_place("pass = \"x\"\nnat= em0\nno_nat = 1\npassword = 2\n@pass\n");
  expect_place("ports = \"{ 80,\nnat\n}\"\n@nat on em0\n");
  expect_place("m = 'it is \"\npass\n'\n@pass\n");
}

TEST(PfPlace, IsNotWithinListsOverSeveralLines) { expect_place("table <t> { 10/8,\npass\n{ nat\n}\n}\n@block\n"); }

TEST(PfPlace, IsNotWithinContinuedLines) {
  expect_place("set skip \\\npass\n@pass\n");
  expect_place("# a comment \\\npass \\\nnat\n@rdr\n");
  expect_place("# ends in two \\\\\n@pass\n");
  expect_place("@\\\n \\\npass\n");
}

TEST(PfPlace, KnowsOtherSystemsLines) { expect_place("set skip on lo0\r\n\r\n@pass\r\n"); }

TEST(PfPlace, IsTheEndOfWhatNeverEnds) {
  expect_place("m = \"\npass\n");
  expect_place("table <t> {\npass\n");
  expect_place("# \\");
  expect_place("set \\");
}

}  // namespace
}  // namespace adit::home
