// Files below a root: each write is whole or not at all, and nothing leads outside.
#include "home/tree.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/home/tree_lab.h"

namespace adit::home {
namespace {

using test::put;
using test::Snapshot;
using test::text_of;
namespace fs = std::filesystem;

TEST(Tree, SetsTheModeBeforeASecretIsWritten) {
  test::Folder folder;
  std::vector<std::string> steps;
  Tree tree(folder.path(), [&](const std::string& what) { steps.push_back(what.substr(0, what.find(' '))); });
  tree.write("/key", "secret\n", 0600);
  EXPECT_EQ(steps, std::vector<std::string>({"create", "set", "write", "sync", "rename", "sync"}));
  EXPECT_EQ(folder.snapshot(), (Snapshot{{"key", "0600 secret\n"}}));
}

TEST(Tree, LeavesTheOldFileUntilTheNewOneIsWhole) {
  test::Folder folder;
  put(folder.path() / "file", "old\n");
  Tree tree(folder.path(), [](const std::string& what) {
    if (what.starts_with("rename")) throw std::runtime_error(what);
  });
  EXPECT_THROW(tree.write("/file", "new\n", 0644), std::runtime_error);
  EXPECT_EQ(text_of(folder.path() / "file"), "old\n");
  tree.clean("/file");
  EXPECT_EQ(folder.snapshot(), (Snapshot{{"file", "0644 old\n"}}));
}

TEST(Tree, KeepsTheOwnerItIsTold) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  test::Folder folder;
  Tree tree(folder.path());
  const Found like{"", 0640, 12, 34};
  tree.write("/file", "text\n", 0640, &like);
  const auto found = tree.read("/file");
  EXPECT_EQ(found->owner, 12U);
  EXPECT_EQ(found->group, 34U);
  EXPECT_EQ(found->mode, 0640U);
}

TEST(Tree, FollowsNoLinkAnywhere) {
  test::Folder folder;
  test::Folder outside;
  put(outside.path() / "file", "theirs\n");
  fs::create_directory_symlink(outside.path(), folder.path() / "away");
  fs::create_directory_symlink(".", folder.path() / "here");
  fs::create_symlink(outside.path() / "file", folder.path() / "link");
  Tree tree(folder.path());
  for (const char* path : {"/away/file", "/here/file", "/link"}) {
    EXPECT_THROW(static_cast<void>(tree.read(path)), std::runtime_error) << path;
  }
  for (const char* path : {"/away/file", "/here/file"}) {
    EXPECT_THROW(tree.write(path, "ours\n", 0644), std::runtime_error) << path;
    EXPECT_THROW(tree.remove(path), std::runtime_error) << path;
  }
  EXPECT_THROW(tree.make_directory("/away/new"), std::runtime_error);
  EXPECT_THROW(tree.remove_all("/away"), std::runtime_error);
  EXPECT_EQ(outside.snapshot(), (Snapshot{{"file", "0644 theirs\n"}}));
}

TEST(Tree, RemovesLinksAndNotWhereTheyLead) {
  test::Folder folder;
  test::Folder outside;
  put(outside.path() / "file", "theirs\n");
  put(folder.path() / "all/file", "");
  fs::create_directory_symlink(outside.path(), folder.path() / "all/link");
  Tree tree(folder.path());
  tree.remove_all("/all");
  EXPECT_EQ(folder.snapshot(), Snapshot());
  EXPECT_EQ(outside.snapshot().size(), 1U);
}

TEST(Tree, ReadsOnlyFiles) {
  test::Folder folder;
  fs::create_directory(folder.path() / "directory");
  ASSERT_EQ(::mkfifo((folder.path() / "pipe").c_str(), 0600), 0);
  const Tree tree(folder.path());
  EXPECT_THROW(static_cast<void>(tree.read("/directory")), std::runtime_error);
  EXPECT_THROW(static_cast<void>(tree.read("/pipe")), std::runtime_error);
  EXPECT_EQ(tree.read("/nothing").has_value(), false);
  EXPECT_EQ(tree.read("/no/thing").has_value(), false);
}

TEST(Tree, IsOneAtATime) {
  test::Folder folder;
  Tree second(folder.path());
  {
    Tree first(folder.path());
    first.lock();
    EXPECT_THROW(second.lock(), std::runtime_error);
  }
  second.lock();
}

TEST(Tree, LeavesDirectoriesThatHaveSomethingInThem) {
  test::Folder folder;
  put(folder.path() / "some/file", "");
  Tree tree(folder.path());
  EXPECT_FALSE(tree.remove_directory("/some"));
  EXPECT_TRUE(tree.remove_directory("/none"));
  EXPECT_TRUE(tree.remove_directory("/none/at/all"));
}

}  // namespace
}  // namespace adit::home
