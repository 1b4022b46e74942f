#include "config/document.h"

#include <gtest/gtest.h>

namespace adit::config {
namespace {

/// The one problem of a text that is no document, as "line:column: text".
std::string fault(std::string_view text) {
  Problems problems;
  EXPECT_FALSE(read_document(text, problems));
  const auto found = std::move(problems).in_order();
  EXPECT_EQ(found.size(), 1u);
  if (found.size() != 1) return "";
  const auto& [place, words] = found.front();
  return std::to_string(place.line) + ":" + std::to_string(place.column) + ": " + words;
}

TEST(Document, KnowsWhereEverythingStands) {
  Problems problems;
  const auto root = read_document("a = [1,\n  \"x\"]\n  [[peer]]\n  k = true\n", problems);
  ASSERT_TRUE(root);
  EXPECT_EQ(problems.count(), 0u);
  ASSERT_EQ(root->children.size(), 2u);
  const Node& a = root->children[0];
  EXPECT_EQ(a.key, "a");
  EXPECT_EQ(a.key_place.column, 1u);
  EXPECT_EQ(a.place.column, 5u);
  ASSERT_EQ(a.children.size(), 2u);
  EXPECT_EQ(a.children[0].integer, 1);
  EXPECT_EQ(a.children[1].string, "x");
  EXPECT_EQ(a.children[1].place.line, 2u);
  EXPECT_EQ(a.children[1].place.column, 3u);
  const Node& peer = root->children[1].children.at(0);
  EXPECT_EQ(peer.kind, Node::Kind::kTable);
  EXPECT_EQ(peer.place.line, 3u);
  EXPECT_EQ(peer.place.column, 3u);
  EXPECT_TRUE(peer.children.at(0).boolean);
}

TEST(Document, SaysWhereTheTomlIsWrong) {
  EXPECT_EQ(fault("[interface]\nmtu = \n"), "2:7: this is not TOML: key-value pair: expected value");
  EXPECT_EQ(fault("mtu = 1\nmtu = 2\n").substr(0, 4), "2:7:");
  EXPECT_EQ(fault("mtu = 99999999999999999999\n").substr(0, 4), "1:27");
}

TEST(Document, SurvivesWhatFailsAnAssertionOfTomlplusplus) {
  EXPECT_EQ(fault("a = [1, }]"), "0:0: this is not TOML, but it cannot be said where");
}

TEST(Document, RefusesBytesThatAreNoText) {
  EXPECT_EQ(fault(std::string_view("a = 1\nb\0c = 2", 13)), "2:2: a zero byte: this is not a text file");
  EXPECT_EQ(fault("a = 1\x01"), "1:6: a control character: this is not a text file");
  EXPECT_NE(fault("a = \"\xff\xfe\"").find("invalid utf-8"), std::string::npos);
}

// What toml++ 3.3 must not see, and next to it what only looks so.

TEST(Document, RefusesSectionsWithoutAName) {
  const std::string fault_text = "this is not TOML: a section needs a name";
  for (const char* text :
       {"[", "[]", "[[", "[[]]", "[&]", "[ [a]]", "[[[a]]]", "[\xc3\xa9]", "[\r\n]", "[[=", "[.a]"}) {
    EXPECT_EQ(fault(text), "1:1: " + fault_text) << text;
    EXPECT_EQ(fault("a = '[&]'\n#[&]\n \t" + std::string(text)), "3:3: " + fault_text) << text;
  }
  EXPECT_EQ(fault("\xef\xbb\xbf[]"), "1:1: " + fault_text);
  Problems problems;
  EXPECT_TRUE(read_document("[ a ]\n[\t\"b c\" ] # d\n[[ '1' ]]\n[2]\n# [&]\nx = '[&]'\ny = []", problems));
}

TEST(Document, RefusesKeysThatWouldExhaustTheStack) {
  std::string key;
  for (int i = 0; i < 300000; ++i) key += "a.";
  const std::string fault_text = "too many dots outside of quotes";
  EXPECT_EQ(fault(key + "a = 1"), "1:66: " + fault_text);
  EXPECT_EQ(fault("\n[" + key + "a]"), "2:67: " + fault_text);
  EXPECT_EQ(fault("b = \"'\\\"\" # it\"s\nc = {" + key + "a = 1}"), "2:71: " + fault_text);
  EXPECT_EQ(fault("b = [\"\\\\\",\n'\\', {" + key + "a = 1}]"), "2:72: " + fault_text);
  EXPECT_EQ(fault("b = \"unclosed\n" + key + "a = 1"), "2:66: " + fault_text);
}

TEST(Document, RefusesLettersBeyondAsciiOutsideOfQuotes) {
  const std::string fault_text = "only quotes and comments may hold letters beyond ASCII";
  EXPECT_EQ(fault("a = 1\nb\xc8\x9a = 2"), "2:2: " + fault_text);
  EXPECT_EQ(fault("a =\xc2\xa0\x31"), "1:4: " + fault_text);
  Problems problems;
  EXPECT_TRUE(read_document("\"\xc3\xa9\" = '\xc8\x9a' # \xc2\xa0\n[\"\xc3\xa9t\xc3\xa9\"]\n", problems));
}

TEST(Document, RefusesColonsOutsideOfQuotes) {
  const std::string fault_text = "a colon outside of quotes: such a value is text and stands in quotes";
  EXPECT_EQ(fault("to = 10.1.2.2:34197"), "1:14: " + fault_text);
  EXPECT_EQ(fault("a = 1979-05-27T=07:32:00Z"), "1:19: " + fault_text);
  EXPECT_EQ(fault("a = 07:32:00"), "1:7: " + fault_text);
  Problems problems;
  EXPECT_TRUE(read_document("a = ':' # :\n", problems));
}

TEST(Document, RefusesStringsOfSeveralLines) {
  EXPECT_EQ(fault("a = 1\nb = \"\"\"\nx\"\"\""), "2:5: strings of several lines have no use here");
  EXPECT_EQ(fault("b = '''x'''"), "1:5: strings of several lines have no use here");
  Problems problems;
  EXPECT_TRUE(read_document("a = \"\"\nb = '' # '''\nc = \"'''\"", problems));
}

TEST(Document, LetsDotsStandInQuotesAndComments) {
  std::string list = "a = [";
  for (int i = 0; i < 50; ++i) list += "\"10.0.0.0/8\", '10.0.0.0/8',";
  Problems problems;
  EXPECT_TRUE(read_document(list + "] # " + std::string(1000, '.'), problems));
  EXPECT_TRUE(read_document("a = \"\\\"" + std::string(1000, '.') + "\"", problems));
}

TEST(Document, EndsAtADepthThatNobodyNeeds) {
  Problems problems;
  const auto root = read_document("a = " + std::string(200, '[') + std::string(200, ']'), problems);
  ASSERT_TRUE(root);
  const Node* node = &*root;
  int depth = 0;
  for (; !node->children.empty(); node = &node->children[0]) ++depth;
  EXPECT_LT(depth, 10);
  EXPECT_FALSE(read_document("a = " + std::string(100000, '['), problems));
}

}  // namespace
}  // namespace adit::config
