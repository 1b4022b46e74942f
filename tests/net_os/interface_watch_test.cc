#include "net/interface_watch.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>

#include "net/interface.h"
#include "net/netlink_linux.h"
#include "net/tun.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

class InterfaceWatchTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    test::NetnsTest::SetUp();
    if (IsSkipped()) return;
    tun_.emplace(Tun::create("tun0"));
    watch_.emplace(tun_->fd());
  }

  /// Whether a notice or a tick came.
  bool wait(int timeout_ms) {
    const auto fds = watch_->fds();
    std::array<pollfd, 2> polls = {{{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}}};
    return ::poll(polls.data(), polls.size(), timeout_ms) > 0;
  }
  bool is_up() {
    const auto state = watch_->look();
    return state && state->up;
  }
  static void change(uint16_t type, unsigned flags = 0) {
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(interface_index("tun0", "tun0"));
    header.ifi_flags = flags;
    header.ifi_change = IFF_UP;
    NetlinkRequest("change tun0", type, 0, header).send();
  }

  std::optional<Tun> tun_;
  std::optional<InterfaceWatch> watch_;
};

TEST_F(InterfaceWatchTest, SeesTheStateAtOnce) {
  const auto state = watch_->look();
  ASSERT_TRUE(state);
  EXPECT_FALSE(state->up);
  EXPECT_EQ(state->mtu, 1500u);
}

TEST_F(InterfaceWatchTest, IsToldOfChangesAndElseSleeps) {
  watch_->look();
  EXPECT_FALSE(wait(1200));
  set_up("tun0");
  EXPECT_TRUE(wait(5000));
  EXPECT_TRUE(is_up());
  set_mtu("tun0", 1280);
  EXPECT_TRUE(wait(5000));
  EXPECT_EQ(watch_->look()->mtu, 1280u);
  change(RTM_NEWLINK);
  EXPECT_TRUE(wait(5000));
  EXPECT_FALSE(is_up());
  EXPECT_FALSE(wait(1200)) << "looking empties the descriptors";
}

TEST_F(InterfaceWatchTest, FollowsItIntoAnotherNamespaceAndBack) {
  watch_->look();
  set_up("tun0");
  const Fd home = test::current_netns();
  ASSERT_EQ(test::enter_fresh_netns(), "");
  const Fd away = test::current_netns();
  test::enter_netns(home);
  EXPECT_TRUE(is_up());
  move_to_namespace("tun0", away.get());
  EXPECT_TRUE(wait(5000));
  EXPECT_FALSE(is_up()) << "the kernel takes it down on the way";

  test::enter_netns(away);
  set_mtu("tun0", 1300);
  set_up("tun0");
  test::enter_netns(home);
  EXPECT_TRUE(wait(5000));
  const auto there = watch_->look();
  ASSERT_TRUE(there);
  EXPECT_TRUE(there->up);
  EXPECT_EQ(there->mtu, 1300u);

  test::enter_netns(away);
  move_to_namespace("tun0", home.get());
  test::enter_netns(home);
  EXPECT_TRUE(wait(5000));
  EXPECT_FALSE(is_up());
  EXPECT_FALSE(wait(1200)) << "at home nobody looks every second";
}

TEST_F(InterfaceWatchTest, KnowsWhenItIsGone) {
  watch_->look();
  change(RTM_DELLINK);
  EXPECT_TRUE(wait(5000));
  EXPECT_FALSE(watch_->look());
}

}  // namespace
}  // namespace adit
