// apply, apply, remove: what is written, what is run, and that all is as it was.
#include "home/apply.h"

#include <gtest/gtest.h>

#include "home/block.h"
#include "tests/home/tree_lab.h"

namespace adit::home {
namespace {

using test::kSilent;
using test::plan_one;
using test::plan_two;
using test::put;
using test::Recorder;
using test::Snapshot;
using test::text_of;
namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

class ApplyTest : public ::testing::Test {
 protected:
  ApplyTest() {
    test::furnish(root());
    found_ = folder_.snapshot();
  }
  [[nodiscard]] const fs::path& root() const { return folder_.path(); }
  [[nodiscard]] Snapshot now() const { return folder_.snapshot(); }

  Outcome apply(const Plan& plan) {
    Tree tree(root());
    return home::apply(tree, plan, &recorder_, kSilent);
  }
  Outcome remove() {
    Tree tree(root());
    return home::remove(tree, &recorder_, kSilent);
  }
  /// Why it fails; empty if it does not.
  template <typename Work>
  std::string reason(const Work& work) {
    try {
      work();
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

  test::Folder folder_;
  Snapshot found_;
  Recorder recorder_;
};

TEST_F(ApplyTest, WritesFilesAndBlocksAndNothingElse) {
  const Outcome outcome = apply(plan_one());
  EXPECT_EQ(outcome.changes.size(), 7U);
  EXPECT_EQ(text_of(root() / "etc/jail.conf.d/tom.conf"), plan_one().files[0].text);
  Snapshot after = now();
  EXPECT_EQ(after.at("usr/local/etc/wireguard/wg0.conf"), "0600 PrivateKey = secret\n");
  EXPECT_EQ(after.at("etc/rc.conf"), found_.at("etc/rc.conf") + "# BEGIN adit rc\njail_enable=YES\n# END adit rc\n");
  EXPECT_EQ(after.at("etc/jail.conf"), found_.at("etc/jail.conf"));
  for (const OwnBlock& block : plan_one().blocks) {
    const fs::path file = root() / block.path.substr(1);
    const std::string text = text_of(file);
    EXPECT_EQ(text_of_block(text, block.name), block.text);
    std::ofstream(file, std::ios::binary) << without_block(text, block.name);
  }
  after = now();
  for (const auto& [path, content] : found_) EXPECT_EQ(after.at(path), content) << path;
}

TEST_F(ApplyTest, PutsTranslationBeforeTheFirstRule) {
  apply(plan_one());
  const std::string text = text_of(root() / "etc/pf.conf");
  EXPECT_LT(text.find("192.168/16 }"), text.find("rdr-anchor"));
  EXPECT_LT(text.find("rdr-anchor"), text.find("\nnat on"));
  EXPECT_LT(text.find("pass out"), text.find("\nanchor"));
}

TEST_F(ApplyTest, DoesNothingTheSecondTime) {
  apply(plan_one());
  const Snapshot once = now();
  std::map<std::string, fs::file_time_type> times;
  for (const auto& entry : fs::recursive_directory_iterator(root())) times[entry.path()] = entry.last_write_time();
  recorder_.ran.clear();

  const Outcome outcome = apply(plan_one());
  EXPECT_TRUE(outcome.changes.empty());
  EXPECT_TRUE(recorder_.ran.empty());
  EXPECT_EQ(now(), once);
  for (const auto& [path, time] : times) EXPECT_EQ(fs::last_write_time(path), time) << path;
}

TEST_F(ApplyTest, IsTakenBackByteForByte) {
  apply(plan_one());
  apply(plan_one());
  remove();
  EXPECT_EQ(now(), found_);
  EXPECT_TRUE(remove().found_nothing);
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, IsTakenBackAfterAnotherPlan) {
  apply(plan_one());
  apply(plan_two());
  test::Folder fresh;
  test::furnish(fresh.path());
  Tree tree(fresh.path());
  home::apply(tree, plan_two(), &recorder_, kSilent);
  Snapshot directly = fresh.snapshot();
  Snapshot after = now();
  // The same, but for the order in which directories were recorded.
  directly.erase("var/db/adit/home/manifest");
  after.erase("var/db/adit/home/manifest");
  EXPECT_EQ(after, directly);
  remove();
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, IsTakenBackFromAMachineThatHadNothing) {
  test::Folder empty;
  {
    Tree tree(empty.path());
    home::apply(tree, plan_one(), &recorder_, kSilent);
  }
  EXPECT_TRUE(fs::exists(empty.path() / "etc/pf.conf"));
  Tree tree(empty.path());
  home::remove(tree, &recorder_, kSilent);
  EXPECT_EQ(empty.snapshot(), Snapshot());
}

TEST_F(ApplyTest, RunsChecksThenStartsAndStopsWhatWasStarted) {
  apply(plan_one());
  ASSERT_EQ(recorder_.ran.size(), 3U);
  EXPECT_TRUE(recorder_.ran[0].starts_with("pfctl -nf " + root().string() + "/")) << recorder_.ran[0];
  EXPECT_EQ(Lines(recorder_.ran.begin() + 1, recorder_.ran.end()),
            Lines({"service pf reload", "service jail start tom"}));
  recorder_.ran.clear();
  apply(plan_two());
  ASSERT_EQ(recorder_.ran.size(), 4U);
  EXPECT_EQ(Lines(recorder_.ran.begin() + 1, recorder_.ran.end()),
            Lines({"service jail stop tom", "service pf reload", "service jail start ann"}));
  recorder_.ran.clear();
  remove();
  EXPECT_EQ(recorder_.ran, Lines({"service jail stop ann"}));
}

TEST_F(ApplyTest, ChecksCopiesOfFilesAsTheyWouldBe) {
  std::string seen;
  recorder_.before_ = [&](const std::string& line) {
    if (!line.starts_with("pfctl")) return;
    seen = text_of(line.substr(line.rfind(' ') + 1));
    EXPECT_EQ(found_.at("etc/pf.conf"), now().at("etc/pf.conf"));
  };
  apply(plan_one());
  EXPECT_EQ(seen, text_of(root() / "etc/pf.conf"));
}

TEST_F(ApplyTest, ChangesNothingWhenACheckFails) {
  recorder_.fails_at = "pfctl";
  EXPECT_EQ(
      reason([&] { apply(plan_one()); }),
      "home apply: check \"the rules are right\", `pfctl -nf '{/etc/pf.conf}'`: exit status 3, it is broken (nothing "
      "was changed)");
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, SaysHowFarItCameWhenACommandFailsAndGoesOnFromThere) {
  recorder_.fails_at = "start tom";
  EXPECT_EQ(reason([&] { apply(plan_one()); }),
            "run `service jail start tom`: exit status 3, it is broken (1 of 2 commands done after the files were "
            "written; `adit home apply` goes on, `adit home remove` goes back)");
  recorder_.fails_at = "nothing";
  recorder_.ran.clear();
  EXPECT_TRUE(apply(plan_one()).changes.empty());
  EXPECT_EQ(recorder_.ran.size(), 3U);  // the check and both
  recorder_.ran.clear();
  apply(plan_one());
  EXPECT_TRUE(recorder_.ran.empty());
  remove();
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, StartsAnewWhenOnlyItsCommandsChange) {
  apply(plan_one());
  recorder_.ran.clear();
  Plan plan = plan_one();
  plan.start.push_back({{"service", "adit", "start"}, ""});
  EXPECT_TRUE(apply(plan).changes.empty());
  EXPECT_EQ(recorder_.ran.back(), "service adit start");
}

TEST_F(ApplyTest, RemovesByWhatItWroteDownWhenStoppingFailedOnce) {
  apply(plan_one());
  recorder_.fails_at = "stop tom";
  const Snapshot applied = now();
  EXPECT_NE(reason([&] { remove(); }), "");
  EXPECT_EQ(now().at("etc/pf.conf"), applied.at("etc/pf.conf"));
  recorder_.fails_at = "nothing";
  remove();
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, NamesCommandsWithoutRunningThemInAnotherRoot) {
  for (int round = 0; round < 2; ++round) {
    Tree tree(root());
    const Outcome outcome = home::apply(tree, plan_one(), nullptr, kSilent);
    EXPECT_EQ(outcome.left.size(), 2U);
    EXPECT_EQ(outcome.changes.empty(), round == 1);
  }
  // It is this machine's root one day.
  apply(plan_one());
  EXPECT_EQ(recorder_.ran.back(), "service jail start tom");
  Tree tree(root());
  EXPECT_EQ(home::remove(tree, nullptr, kSilent).left.size(), 1U);
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, RefusesEveryFileThatSomebodyElseWrote) {
  put(root() / "etc/jail.conf.d/tom.conf", "mine\n");
  put(root() / "etc/adit/pf/tom", "pass\n");  // even if it says the same
  found_ = now();
  EXPECT_EQ(reason([&] { apply(plan_one()); }),
            "home apply: there is already /etc/jail.conf.d/tom.conf, /etc/adit/pf/tom, which adit did not write "
            "(nothing was changed; move what is there away)");
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, NamesFileAndLineOfDamagedMarkersAndChangesNothing) {
  apply(plan_one());
  put(root() / "etc/rc.conf", "a\n# BEGIN adit rc\njail_enable=YES\n");
  const Snapshot damaged = now();
  recorder_.ran.clear();
  for (const std::string& why : {reason([&] { apply(plan_two()); }), reason([&] { remove(); })}) {
    EXPECT_EQ(why, "read /etc/rc.conf:2: \"# BEGIN adit rc\" without its END (repair the lines by hand)");
  }
  EXPECT_EQ(now(), damaged);
  EXPECT_TRUE(recorder_.ran.empty());
}

TEST_F(ApplyTest, FollowsNoSymbolicLink) {
  test::Folder outside;
  put(outside.path() / "pf.conf", "pass\n");
  fs::remove(root() / "etc/pf.conf");
  fs::create_symlink(outside.path() / "pf.conf", root() / "etc/pf.conf");
  found_ = now();
  EXPECT_EQ(reason([&] { apply(plan_one()); }),
            "open /etc/pf.conf: it is a symbolic link (adit follows none; put a file in its place)");
  fs::remove(root() / "etc/pf.conf");
  fs::create_directory_symlink(outside.path(), root() / "usr");
  EXPECT_EQ(reason([&] { apply(plan_one()); }),
            "open /usr: it is a symbolic link (adit follows none; put a file in its place)");
  fs::remove(root() / "usr");
  fs::remove_all(root() / "var");
  fs::create_directory_symlink(outside.path(), root() / "var");
  EXPECT_NE(reason([&] { apply(plan_one()); }), "");
  EXPECT_EQ(outside.snapshot().size(), 1U);
}

TEST_F(ApplyTest, LeavesWhatOthersWroteInTheMeantime) {
  apply(plan_one());
  put(root() / "etc/rc.conf", text_of(root() / "etc/rc.conf") + "later=1\n", 0640);
  put(root() / "etc/devfs.rules", text_of(root() / "etc/devfs.rules") + "[mine=9]\n");
  put(root() / "etc/jail.conf.d/other.conf", "other\n");
  put(root() / "var/db/other", "x");
  remove();
  Snapshot expected = found_;
  expected["etc/rc.conf"] += "later=1\n";
  expected["etc/devfs.rules"] = "0644 [mine=9]\n";
  expected["etc/jail.conf.d"] = "0755 /";
  expected["etc/jail.conf.d/other.conf"] = "0644 other\n";
  expected["var/db/other"] = "0644 x";
  EXPECT_EQ(now(), expected);
}

TEST_F(ApplyTest, MendsWhatDrifted) {
  apply(plan_one());
  const Snapshot applied = now();
  put(root() / "etc/jail.conf.d/tom.conf", "changed\n");
  fs::permissions(root() / "usr/local/etc/wireguard/wg0.conf", fs::perms(0644));
  fs::remove(root() / "etc/adit/pf/tom");
  put(root() / "etc/rc.conf", without_block(text_of(root() / "etc/rc.conf"), "rc"), 0640);
  EXPECT_EQ(apply(plan_one()).changes.size(), 4U);
  EXPECT_EQ(now(), applied);
}

TEST_F(ApplyTest, TurnsAFileIntoABlockAndBack) {
  Plan file = {.files = {{"/etc/new.conf", "all mine\n", 0600}}, .blocks = {}, .checks = {}, .start = {}, .stop = {}};
  Plan block = {.files = {}, .blocks = {{"/etc/new.conf", "x", "1\n"}}, .checks = {}, .start = {}, .stop = {}};
  apply(file);
  apply(block);
  EXPECT_EQ(text_of(root() / "etc/new.conf"), "# BEGIN adit x\n1\n# END adit x\n");
  apply(file);
  EXPECT_EQ(text_of(root() / "etc/new.conf"), "all mine\n");
  apply(block);
  remove();
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, WaitsForNobody) {
  Tree first(root());
  first.lock();
  EXPECT_NE(reason([&] { apply(plan_one()); }).find("another adit home works on it"), std::string::npos);
  EXPECT_EQ(now(), found_);
}

TEST_F(ApplyTest, StopsWhenSomebodyWritesAtTheSameTime) {
  Plan plan = plan_one();
  recorder_.before_ = [&](const std::string& line) {
    if (line.starts_with("pfctl")) put(root() / "etc/rc.conf", "changed\n");
  };
  EXPECT_EQ(
      reason([&] { apply(plan); }),
      "write /etc/rc.conf: somebody changed it just now (`adit home apply` goes on, `adit home remove` goes back)");
  EXPECT_EQ(text_of(root() / "etc/rc.conf"), "changed\n");
  recorder_.before_ = nullptr;
  apply(plan);
  remove();
  EXPECT_EQ(text_of(root() / "etc/rc.conf"), "changed\n");
}

TEST_F(ApplyTest, RefusesAManifestThatItDidNotWrite) {
  put(root() / "var/db/adit/home/manifest", "adit-home\t1\ndig\tdeeper\n");
  EXPECT_EQ(
      reason([&] { remove(); }),
      "read /var/db/adit/home/manifest: line 2: not what adit wrote (it says what adit has made here; restore it)");
}

}  // namespace
}  // namespace adit::home
