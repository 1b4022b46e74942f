#include "daemon/route_follower.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "net/clock.h"
#include "net/interface.h"
#include "net/netlink_linux.h"
#include "tests/support/lone_tunnel.h"
#include "tests/support/netns.h"
#include "tests/support/wire.h"

namespace adit::daemon {
namespace {

using tunnel::LoneTunnel;
using tunnel::PaperPeer;

constexpr uint32_t kPeers = 200;
constexpr uint32_t kFar = 0xcb007100;     // 203.0.113.0
constexpr uint32_t kInside = 0x0a000000;  // 10.0.0.0

/// A tunnel whose peers are far away, where "one" leads, and that is where they were heard.
class RouteFollowerTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    test::NetnsTest::SetUp();
    if (IsSkipped()) return;
    // An IPv6 address that becomes valid, a second or two after its link is up, would be news.
    std::ofstream("/proc/sys/net/ipv6/conf/default/disable_ipv6") << 1;
    for (const std::string name : {"one", "two"}) {
      create_veth(name, name + "-end");
      set_up(name);
      set_up(name + "-end");
    }
    add_address("one", lone_.local, 24);
    add_route("one", Prefix::of(Ip::v4(kFar), 24), 0);
    follower_.emplace(loop_, mutex_, lone_.tunnel, interface_, [this] { arm(); });
    lone_.interface = interface_index("one", "one");
    for (uint32_t i = 0; i < kPeers; ++i) add_peer(i);
    loop_.on_timer([this] {
      ++ticks_;
      follower_->tick(read_clock().mono);
      arm();
    });
    run(milliseconds(300));  // of interfaces that have just come up there is more to hear
    while (follower_->next_deadline() != kNever) uv_run(loop_.raw(), UV_RUN_NOWAIT);
    ticks_ = 0;
  }

  void add_peer(uint32_t number) {
    lone_.endpoint = {Ip::v4(kFar + number), 4000};
    PaperPeer peer = lone_.add_peer({});
    lone_.tunnel.allow_ip(peer.public_key(), Prefix::of(Ip::v4(kInside + number), 32));
    lone_.advance(milliseconds(100));  // no flood
    ASSERT_TRUE(lone_.greet(peer));
  }
  void arm() { loop_.arm_timer(follower_->next_deadline(), read_clock().mono); }
  void run(milliseconds duration) {
    const Time end = read_clock().mono + duration;
    while (read_clock().mono < end) uv_run(loop_.raw(), UV_RUN_NOWAIT);
  }
  void run_until_first_tick() {
    const Time end = read_clock().mono + seconds(5);
    while (ticks_ == 0 && read_clock().mono < end) uv_run(loop_.raw(), UV_RUN_NOWAIT);
  }
  /// How many peers are answered from the address that they sent to.
  size_t keep_their_address() {
    std::vector<tunnel::Message> to_all;
    for (uint32_t i = 0; i < kPeers; ++i) {
      to_all.push_back(tunnel::inner_packet(Ip::v4(kInside + 255), Ip::v4(kInside + i), 64));
    }
    lone_.send(to_all);
    EXPECT_EQ(lone_.sent.size(), kPeers);
    return static_cast<size_t>(std::ranges::count_if(
        lone_.sent, [this](const Datagram& datagram) { return datagram.local.ip == lone_.local; }));
  }

  config::Interface interface_;
  Loop loop_;
  std::mutex mutex_;
  LoneTunnel lone_;
  std::optional<RouteFollower> follower_;
  int ticks_ = 0;
};

TEST_F(RouteFollowerTest, TheAddressGoesWithTheRouteOfItsPeerAlone) {
  add_route("two", Prefix::of(Ip::v4(kFar + 64), 26), 0);
  run(milliseconds(100));
  EXPECT_EQ(keep_their_address(), kPeers - 64);
}

TEST_F(RouteFollowerTest, OfManyPeersSomeAreLookedAtAtATime) {
  add_route("two", Prefix::of(Ip::v4(kFar), 25), 0);
  add_route("two", Prefix::of(Ip::v4(kFar + 128), 25), 0);
  run_until_first_tick();
  EXPECT_EQ(keep_their_address(), kPeers - 64);
  run(milliseconds(100));
  EXPECT_EQ(keep_their_address(), 0u);
  EXPECT_EQ(follower_->next_deadline(), kNever);
}

TEST_F(RouteFollowerTest, AChangeDuringALookIsAnother) {
  add_route("two", Prefix::of(Ip::v4(kFar), 25), 0);
  run_until_first_tick();
  add_route("two", Prefix::of(Ip::v4(kFar + 128), 25), 0);
  run(milliseconds(100));
  EXPECT_EQ(keep_their_address(), 0u);
}

TEST_F(RouteFollowerTest, AStormIsLookedAtNowAndThen) {
  const Time begin = read_clock().mono;
  for (uint32_t i = 0; i < 2000; ++i) {
    add_route("two", Prefix::of(Ip::v4(0x0b000000 + i), 32), 0);
    uv_run(loop_.raw(), UV_RUN_NOWAIT);
  }
  const auto looks = (read_clock().mono - begin) / (kPeers * RouteFollower::kIntervalPerPeer) + 1;
  EXPECT_LE(ticks_, looks * (kPeers / 64 + 1));
  EXPECT_EQ(keep_their_address(), kPeers);
}

TEST_F(RouteFollowerTest, AStormThatOverflowsDoesNotMakeItDeaf) {
  for (uint32_t i = 0; i < 2000; ++i) add_route("two", Prefix::of(Ip::v4(0x0b000000 + i), 32), 0);
  run(milliseconds(100));
  add_route("two", Prefix::of(Ip::v4(kFar + 64), 26), 0);
  run(milliseconds(100));
  EXPECT_EQ(keep_their_address(), kPeers - 64);
}

/// The deadline of one that cannot hear of routes.
[[noreturn]] void follow_without_rtnetlink(Loop& loop, tunnel::Tunnel& tunnel, const config::Interface& interface) {
  test::lose_family(AF_NETLINK);
  std::mutex mutex;
  RouteFollower follower(loop, mutex, tunnel, interface, [] {});
  follower.tick(read_clock().mono);
  _exit(follower.next_deadline() == kNever ? 0 : 1);
}

TEST_F(RouteFollowerTest, WithoutRtnetlinkNothingIsDone) {
  EXPECT_EXIT(follow_without_rtnetlink(loop_, lone_.tunnel, interface_), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace adit::daemon
