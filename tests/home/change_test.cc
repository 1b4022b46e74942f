// A plan beside what is there, without any file.
#include "home/change.h"

#include <gtest/gtest.h>

#include <map>

#include "home/transition.h"

namespace adit::home {
namespace {

class Paper : public TreeView {
 public:
  [[nodiscard]] std::optional<Found> read(const std::string& path) const override {
    const auto found = files.find(path);
    return found == files.end() ? std::nullopt : std::optional(found->second);
  }
  [[nodiscard]] bool has_directory(const std::string& path) const override { return directories.contains(path); }
  std::map<std::string, Found> files;
  std::map<std::string, bool> directories;
};

Plan plan_of(std::vector<OwnFile> files, std::vector<OwnBlock> blocks = {}) {
  Plan plan;
  plan.files = std::move(files);
  plan.blocks = std::move(blocks);
  return plan;
}

const OwnFile kFile{"/etc/x", "text\n", 0644};

State state_of(const Plan& plan, const Manifest& made, const Paper& tree) {
  return find_changes(plan, made, tree).at(0).state;
}

TEST(Changes, OfAFileThatIsOursAlone) {
  Paper tree;
  Manifest made;
  EXPECT_EQ(state_of(plan_of({kFile}), made, tree), State::added);
  tree.files["/etc/x"] = {"text\n", 0644, 0, 0};
  EXPECT_EQ(state_of(plan_of({kFile}), made, tree), State::foreign);
  made.files = {{"/etc/x", 0644}};
  EXPECT_EQ(state_of(plan_of({kFile}), made, tree), State::same);
  EXPECT_EQ(state_of(plan_of({}), made, tree), State::removed);
  tree.files["/etc/x"].mode = 0600;
  EXPECT_EQ(state_of(plan_of({kFile}), made, tree), State::changed);
  tree.files["/etc/x"] = {"other\n", 0644, 0, 0};
  EXPECT_EQ(state_of(plan_of({kFile}), made, tree), State::changed);
}

TEST(Changes, OfSeveralBlocksOfAFileAreOne) {
  Paper tree;
  tree.files["/etc/rc.conf"] = {"# BEGIN adit a\n1\n# END adit a\n# BEGIN adit b\n2\n# END adit b\n", 0640, 7, 8};
  Manifest made;
  made.blocks = {{"/etc/rc.conf", "a"}, {"/etc/rc.conf", "b"}};
  const auto changes =
      find_changes(plan_of({}, {{"/etc/rc.conf", "b", "3\n"}, {"/etc/rc.conf", "c", "4\n"}}), made, tree);
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].mode, 0640U);
  ASSERT_EQ(changes[0].blocks.size(), 3U);
  EXPECT_EQ(changes[0].blocks[0].state, State::removed);
  EXPECT_EQ(changes[0].blocks[1].state, State::changed);
  EXPECT_EQ(changes[0].blocks[2].state, State::added);
  EXPECT_EQ(changes[0].after, "# BEGIN adit b\n3\n# END adit b\n# BEGIN adit c\n4\n# END adit c\n");
}

TEST(Changes, KnowWhatIsSecretBeforeAndAfter) {
  Paper tree;
  OwnFile file = kFile;
  file.mode = 0600;
  EXPECT_TRUE(find_changes(plan_of({file}), {}, tree)[0].secret);
  tree.files["/etc/x"] = {"text\n", 0600, 0, 0};
  Manifest made;
  made.files = {{"/etc/x", 0600}};
  EXPECT_TRUE(find_changes(plan_of({kFile}), made, tree)[0].secret);
  tree.files["/etc/x"].mode = 0644;  // somebody opened it, and what is in it still is a secret
  EXPECT_TRUE(find_changes(plan_of({}), made, tree)[0].secret);
  tree.files["/etc/y"] = {"password\n", 0600, 0, 0};
  EXPECT_TRUE(find_changes(plan_of({}, {{"/etc/y", "a", ""}}), {}, tree)[0].secret);
}

TEST(Changes, TakeBlocksOutBeforeFilesAndWriteFilesBeforeBlocks) {
  Paper tree;
  tree.files["/etc/old"] = {"", 0644, 0, 0};
  tree.files["/etc/pf.conf"] = {"# BEGIN adit a\n# END adit a\n", 0644, 0, 0};
  Manifest made;
  made.files = {{"/etc/old", 0644}};
  made.blocks = {{"/etc/pf.conf", "a"}};
  std::vector<std::string> order;
  for (const Change& change : find_changes(plan_of({kFile}, {{"/etc/rc.conf", "r", ""}}), made, tree)) {
    order.push_back(change.path);
  }
  EXPECT_EQ(order, std::vector<std::string>({"/etc/pf.conf", "/etc/old", "/etc/x", "/etc/rc.conf"}));
}

TEST(Changes, OfAPlanThatContradictsItselfAreRefused) {
  const Paper tree;
  for (const Plan& plan :
       {plan_of({kFile, kFile}), plan_of({kFile}, {{"/etc/x", "a", ""}}),
        plan_of({}, {{"/etc/y", "a", ""}, {"/etc/y", "a", ""}}), plan_of({{"etc/x", "", 0644}}),
        plan_of({{"/etc/../x", "", 0644}}), plan_of({{"/etc//x", "", 0644}}), plan_of({{"/etc/", "", 0644}}),
        plan_of({{"/", "", 0644}}), plan_of({{"", "", 0644}}), plan_of({}, {{"/etc/./x", "a", ""}})}) {
    EXPECT_THROW(find_changes(plan, {}, tree), std::invalid_argument);
  }
}

TEST(Transition, MakesDirectoriesFromOutsideIn) {
  Paper tree;
  tree.directories = {{"/var", true}, {"/var/db", true}, {"/etc", true}};
  const Transition transition = find_transition(plan_of({{"/etc/a/b/c", "", 0644}}), {}, tree);
  EXPECT_EQ(transition.new_directories,
            std::vector<std::string>({"/var/db/adit", "/var/db/adit/home", "/etc/a", "/etc/a/b"}));
  EXPECT_EQ(transition.during.directories, transition.new_directories);
}

}  // namespace
}  // namespace adit::home
