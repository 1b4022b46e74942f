#include "daemon/saved_state.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

namespace adit::daemon {
namespace {

namespace fs = std::filesystem;

SavedState some_state() {
  SavedState state;
  state.when = WallTime(seconds(1'700'000'000));
  crypto::PublicKey key;
  key.bytes.fill(7);
  state.peers = {{key, *Endpoint::parse("[2001:db8::1]:342")}};
  state.flows = {{.listen = *Endpoint::parse("0.0.0.0:34197"),
                  .client = *Endpoint::parse("198.51.100.7:5000"),
                  .local = *Ip::parse("203.0.113.1"),
                  .ours = *Endpoint::parse("10.1.2.5:20001"),
                  .remote = *Endpoint::parse("10.1.2.2:34197"),
                  .state = forward::FlowState::kEstablished,
                  .idle = milliseconds(1234)},
                 {.listen = *Endpoint::parse("[::]:34197"),
                  .client = *Endpoint::parse("[2001:db8::7]:5000"),
                  .local = *Ip::parse("2001:db8::1"),
                  .ours = *Endpoint::parse("10.1.2.5:20002"),
                  .remote = *Endpoint::parse("10.1.2.2:34197"),
                  .state = forward::FlowState::kUnanswered,
                  .idle = milliseconds(0)}};
  return state;
}

TEST(SavedState, TextSaysEverything) {
  EXPECT_EQ(parse_state(to_text(some_state())), some_state());
  EXPECT_EQ(parse_state(to_text({})), SavedState{});
}

TEST(SavedState, LinkLocalFlowsAndPeersAreLeftOut) {
  SavedState state = some_state();
  state.flows[0].client.scope = 3;
  state.peers[0].endpoint.scope = 3;
  const SavedState read = parse_state(to_text(state)).value();
  EXPECT_TRUE(read.peers.empty());
  EXPECT_EQ(read.flows.size(), 1u);
}

TEST(SavedState, AnyOtherTextIsRefused) {
  const std::string good = to_text(some_state());
  for (size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(parse_state(good.substr(0, size)));
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string text = good;
    EXPECT_NE(text.find(what), text.npos) << what;
    return text.replace(text.find(what), what.size(), instead);
  };
  for (const std::string& text :
       {with("\"version\":1", "\"version\":2"), with(",1234]", ",-1]"), with(",1234]", ",1e300]"),
        with(",1234]", ",4294967296]"), with(",2,1234]", ",3,1234]"), with(",2,1234]", ",1234]"),
        with("10.1.2.5:20001", "10.1.2.5"), with("\"203.0.113.1\"", "7"), with("BwcH", "B"), with("flows", "flow"),
        with("1700000000", "\"x\"")}) {
    EXPECT_FALSE(parse_state(text)) << text;
  }
}

class StateFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "adit-state-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    file_ = directory_ / "wg0.state";
  }
  void TearDown() override { fs::remove_all(directory_); }
  std::optional<SavedState> read() { return StateFile(file_).read(); }
  void write_text(const std::string& text, unsigned mode) {
    std::ofstream(file_) << text;
    fs::permissions(file_, fs::perms(mode));
  }
  std::string complaint() {
    try {
      (void)read();
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return "";
  }
  fs::path directory_, file_;
};

TEST_F(StateFiles, AreWrittenForTheOwnerAloneAndReadBack) {
  StateFile(file_).write(some_state());
  struct stat found {};
  ASSERT_EQ(::stat(file_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
  EXPECT_EQ(read(), some_state());
  StateFile(file_).write({});  // shorter
  EXPECT_EQ(read(), SavedState{});
}

TEST_F(StateFiles, SayNothingFromTheirClearingOnAndAreTakenAway) {
  StateFile(file_).write(some_state());
  {
    StateFile file(file_);
    EXPECT_EQ(file.read(), some_state());
    file.clear();
    EXPECT_EQ(file.read(), std::nullopt);
    EXPECT_EQ(fs::file_size(file_), 0u) << "of a process that is killed there is nothing to go on with";
  }
  EXPECT_FALSE(fs::exists(file_));
}

TEST_F(StateFiles, StayAsTheyAreUnlessTheyAreCleared) {
  StateFile(file_).write(some_state());
  { const StateFile of_one_that_fails_to_start(file_); }
  EXPECT_EQ(read(), some_state());
}

TEST_F(StateFiles, OfOthersOrWithOtherContentAreRefused) {
  write_text("{}", 0600);
  EXPECT_EQ(complaint(), file_.string() + ": not what adit writes");
  write_text("{}", 0640);
  EXPECT_EQ(complaint(), file_.string() + ": not ours alone");
  fs::remove(file_);
  fs::create_symlink("/etc/passwd", file_);
  EXPECT_NE(complaint(), "");
}

TEST_F(StateFiles, ThatCannotBeMadeAreAnError) {
  EXPECT_THROW(StateFile(directory_ / "no" / "wg0.state"), std::system_error);
}

}  // namespace
}  // namespace adit::daemon
