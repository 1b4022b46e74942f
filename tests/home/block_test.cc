// Blocks of ours in files of others.
#include "home/block.h"

#include <gtest/gtest.h>

namespace adit::home {
namespace {

OwnBlock block(const std::string& name, const std::string& text, Place place = Place::end) {
  return {"/etc/rc.conf", name, text, place};
}

TEST(Block, GoesAfterTheLastLine) {
  EXPECT_EQ(with_block("a=1\n", block("x", "b=2\n")), "a=1\n# BEGIN adit x\nb=2\n# END adit x\n");
}

TEST(Block, IsTheWholeOfAnEmptyFile) {
  EXPECT_EQ(with_block("", block("x", "b=2\n")), "# BEGIN adit x\nb=2\n# END adit x\n");
}

TEST(Block, RemembersThatTheLineBeforeHadNoNewline) {
  EXPECT_EQ(with_block("a=1", block("x", "b=2\n")), "a=1\n# BEGIN adit x (no newline before)\nb=2\n# END adit x\n");
}

TEST(Block, StaysWhereItIsWhenItsTextChanges) {
  const std::string file = "a\n# BEGIN adit x\nold\n# END adit x\nz\n";
  EXPECT_EQ(with_block(file, block("x", "new\nlines\n")), "a\n# BEGIN adit x\nnew\nlines\n# END adit x\nz\n");
  EXPECT_EQ(with_block(file, block("x", "old\n")), file);
}

TEST(Block, IsFoundByItsNameAlone) {
  const std::string file = with_block(with_block("", block("jail", "1\n")), block("jail two", "2\n"));
  EXPECT_EQ(text_of_block(file, "jail"), "1\n");
  EXPECT_EQ(text_of_block(file, "jail two"), "2\n");
  EXPECT_EQ(text_of_block(file, "jai"), std::nullopt);
  EXPECT_EQ(without_block(file, "jail"), "# BEGIN adit jail two\n2\n# END adit jail two\n");
}

TEST(Block, GoesBeforeTheFirstTranslationRule) {
  EXPECT_EQ(with_block("set skip on lo0\nnat on em0\npass\n", block("x", "rdr-anchor a\n", Place::pf_translation)),
            "set skip on lo0\n# BEGIN adit x\nrdr-anchor a\n# END adit x\nnat on em0\npass\n");
}

TEST(Block, NeverGoesWithinAnother) {
  const std::string one = with_block("pass\n", block("a", "nat-anchor a\n", Place::pf_translation));
  EXPECT_EQ(with_block(one, block("b", "nat-anchor b\n", Place::pf_translation)),
            "# BEGIN adit b\nnat-anchor b\n# END adit b\n# BEGIN adit a\nnat-anchor a\n# END adit a\npass\n");
}

TEST(Block, LeavesBytesAsTheyWereWhenItIsTakenOut) {
  const std::string files[] = {"",
                               "\n",
                               "a",
                               "a\n",
                               "a\r\nb\r\n",
                               "a\r\nb",
                               "a\r",
                               "a\n\n",
                               "pass",
                               "nat\npass",
                               "  pass ",
                               "# c \\\npass\n",
                               "x = \"\nnat\n\"\npass",
                               "\\\n",
                               "a\\",
                               std::string("\0\xff\n\0", 4)};
  const OwnBlock blocks[] = {block("x", "1\n"), block("y", "", Place::pf_translation), block("z", "nat-anchor z\n")};
  for (const std::string& file : files) {
    for (const OwnBlock& one : blocks) {
      EXPECT_EQ(without_block(with_block(file, one), one.name), file);
      for (const OwnBlock& other : blocks) {
        if (one.name == other.name) continue;
        const std::string both = with_block(with_block(file, one), other);
        EXPECT_EQ(without_block(without_block(both, one.name), other.name), file);
        EXPECT_EQ(without_block(without_block(both, other.name), one.name), file);
      }
    }
  }
}

TEST(Block, LeavesLinesThatCameLaterOnLinesOfTheirOwn) {
  const std::string file = with_block("a=1", block("x", "b=2\n")) + "c=3\n";
  EXPECT_EQ(without_block(file, "x"), "a=1\nc=3\n");
}

TEST(Block, MayHaveLostItsLastNewlineOrBecomeAnotherSystems) {
  EXPECT_EQ(without_block("a\n# BEGIN adit x\n1\n# END adit x", "x"), "a\n");
  EXPECT_EQ(without_block("a\r\n# BEGIN adit x\r\n1\r\n# END adit x\r\nb\r\n", "x"), "a\r\nb\r\n");
}

TEST(Block, OfAnotherNameStays) {
  EXPECT_EQ(without_block("a\n# BEGIN adit x\n# END adit x\n", "y"), "a\n# BEGIN adit x\n# END adit x\n");
}

TEST(Block, IsNotWhatSomebodyWritesAboutIt) {
  const std::string file =
      "# BEGIN adit, and so on\n# END adit of the day (my lines)\n  # BEGIN adit x\n#BEGIN adit x\n";
  EXPECT_TRUE(find_blocks(file).empty());
}

size_t damaged_line(const std::string& file) {
  try {
    with_block(file, block("x", "1\n"));
  } catch (const DamagedBlock& damage) {
    return damage.line();
  }
  return 0;
}

TEST(Block, WhoseMarkersDoNotPairIsNotTouched) {
  EXPECT_EQ(damaged_line("a\n# BEGIN adit x\n1\n"), 2U);
  EXPECT_EQ(damaged_line("a\nb\n# END adit x\n"), 3U);
  EXPECT_EQ(damaged_line("# BEGIN adit x\n# END adit y\n"), 2U);
  EXPECT_EQ(damaged_line("\n# BEGIN adit x\n# BEGIN adit y\n# END adit y\n# END adit x\n"), 2U);
  EXPECT_EQ(damaged_line("# BEGIN adit x\n# END adit x\n# BEGIN adit x\n# END adit x\n"), 3U);
  EXPECT_EQ(damaged_line("# BEGIN adit other\n"), 1U);
}

TEST(Block, ThatCouldNotBeFoundAgainIsRefused) {
  for (const char* name : {"", " a", "a ", "a  b", "a\n", "a\tb", "a (no newline before)", "a\r"}) {
    EXPECT_THROW(with_block("", block(name, "1\n")), std::invalid_argument) << name;
  }
  EXPECT_THROW(with_block("", block("x", "no newline")), std::invalid_argument);
  EXPECT_THROW(with_block("", block("x", "1\n# END adit x\n")), std::invalid_argument);
  EXPECT_THROW(with_block("", block("x", "# BEGIN adit y (no newline before)\n")), std::invalid_argument);
}

}  // namespace
}  // namespace adit::home
