#include "net/route_watch.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "net/interface.h"
#include "net/netlink_linux.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

constexpr uint16_t kPort = 51820;
constexpr uint32_t kTable = 100;

void change_link(const char* name, unsigned flags) {
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(name, name));
  header.ifi_flags = flags;
  header.ifi_change = IFF_UP;
  NetlinkRequest("change link", RTM_NEWLINK, 0, header).send();
}

void delete_route(const Prefix& destination, uint32_t table = RT_TABLE_MAIN) {
  rtmsg header{};
  header.rtm_family = destination.ip.is_v4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = destination.length;
  header.rtm_scope = RT_SCOPE_NOWHERE;
  NetlinkRequest request("delete route", RTM_DELROUTE, 0, header);
  request.put(RTA_DST, destination.ip);
  request.put(RTA_TABLE, table);
  request.send();
}

/// What has `attribute` goes by kTable.
void add_rule(bool v4, uint16_t attribute, uint32_t value) {
  fib_rule_hdr header{};
  header.family = v4 ? AF_INET : AF_INET6;
  header.action = FR_ACT_TO_TBL;
  NetlinkRequest request("add rule", RTM_NEWRULE, NLM_F_CREATE | NLM_F_EXCL, header);
  request.put(FRA_TABLE, kTable);
  request.put(attribute, value);
  request.send();
}

/// A first and a last port.
uint32_t port_range(uint16_t port) { return uint32_t{port} << 16 | port; }

struct Version {
  Endpoint remote;
  Prefix far;  // holds `remote`
  Ip first;    // our addresses: of "one"
  Ip second;   // and of "two"
};
const Version kV4 = {*Endpoint::parse("203.0.113.9:4000"), *Prefix::parse("203.0.113.0/24"), *Ip::parse("192.0.2.2"),
                     *Ip::parse("198.51.100.2")};
const Version kV6 = {*Endpoint::parse("[2001:db8:2::9]:4000"), *Prefix::parse("2001:db8:2::/64"),
                     *Ip::parse("2001:db8::2"), *Ip::parse("2001:db8:1::2")};

class RouteWatchTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    test::NetnsTest::SetUp();
    if (IsSkipped()) return;
    for (const std::string name : {"one", "two"}) {
      create_veth(name, name + "-end");
      set_up(name);
      set_up(name + "-end");
    }
    for (const Version& version : {kV4, kV6}) {
      const uint8_t length = version.far.length;
      add_address("one", version.first, length);
      add_address("two", version.second, length);
      ASSERT_TRUE(test::wait_for_address(version.second));
      add_route("one", version.far, 0);
    }
    one_ = interface_index("one", "one");
    two_ = interface_index("two", "two");
    watch_.emplace();
  }

  bool leads_out(const Version& version, uint32_t interface, uint32_t mark = 0) {
    return watch_->leads_out(version.remote, {version.first, interface}, kPort, mark);
  }
  bool is_told() {
    const bool told = test::wait_readable(watch_->fd());
    watch_->drain();
    return told;
  }
  /// The kernel may have more to say of what has just been done.
  void settle() {
    while (test::wait_readable(watch_->fd(), 1200)) watch_->drain();
  }

  uint32_t one_ = 0, two_ = 0;
  std::optional<RouteWatch> watch_;
};

TEST_F(RouteWatchTest, KnowsTheInterfaceOfARoute) {
  for (const Version& version : {kV4, kV6}) {
    EXPECT_TRUE(leads_out(version, one_));
    EXPECT_FALSE(leads_out(version, two_));
    delete_route(version.far);
    add_route("two", version.far, 0);
    EXPECT_FALSE(leads_out(version, one_)) << "though the address is still here";
    EXPECT_TRUE(leads_out(version, two_));
  }
}

TEST_F(RouteWatchTest, FollowsTheRulesThatLookAtMarksAndPorts) {
  for (const Version& version : {kV4, kV6}) {
    const bool v4 = version.remote.ip.is_v4();
    add_route("two", version.far, kTable);
    add_rule(v4, FRA_FWMARK, 7);
    EXPECT_TRUE(leads_out(version, one_));
    EXPECT_TRUE(leads_out(version, one_, 8));
    EXPECT_TRUE(leads_out(version, two_, 7));
    add_rule(v4, FRA_SPORT_RANGE, port_range(kPort + 1));
    add_rule(v4, FRA_DPORT_RANGE, port_range(4001));
    EXPECT_TRUE(leads_out(version, one_));
    add_rule(v4, FRA_SPORT_RANGE, port_range(kPort));
    EXPECT_TRUE(leads_out(version, two_));
    EXPECT_FALSE(leads_out(version, one_));
  }
}

TEST_F(RouteWatchTest, IsContentWithNoRouteAtAllButNotWithOneOfAnotherAddress) {
  for (const Version& version : {kV4, kV6}) {
    delete_route(version.far);
    EXPECT_TRUE(leads_out(version, one_));
    EXPECT_TRUE(leads_out(version, two_));
    add_route("one", version.far, 0);
  }
  const Ip gone = *Ip::parse("192.0.2.3");
  EXPECT_FALSE(watch_->leads_out(kV4.remote, {gone, one_}, kPort, 0));
}

TEST_F(RouteWatchTest, KeepsToTheLinkOfALinkLocalAddress) {
  Endpoint neighbour = *Endpoint::parse("[fe80::9]:4000");
  neighbour.scope = two_;
  add_address("two", *Ip::parse("fe80::2"), 64);
  ASSERT_TRUE(test::wait_for_address(*Ip::parse("fe80::2")));
  EXPECT_TRUE(watch_->leads_out(neighbour, {*Ip::parse("fe80::2"), two_}, kPort, 0));
  EXPECT_FALSE(watch_->leads_out(neighbour, {*Ip::parse("fe80::2"), one_}, kPort, 0));
}

TEST_F(RouteWatchTest, IsToldOfEveryKindOfChangeAndElseSleeps) {
  settle();
  for (const Version& version : {kV4, kV6}) {
    const bool v4 = version.remote.ip.is_v4();
    add_route("two", version.far, kTable);
    EXPECT_TRUE(is_told());
    add_rule(v4, FRA_FWMARK, 7);
    EXPECT_TRUE(is_told());
    delete_route(version.far, kTable);
    EXPECT_TRUE(is_told());
  }
  settle();
  EXPECT_FALSE(test::wait_readable(watch_->fd(), 200));
  change_link("one", 0);
  EXPECT_TRUE(is_told());
}

TEST_F(RouteWatchTest, OutlivesAStormThatDoesNotFit) {
  for (uint32_t i = 0; i < 1000; ++i) add_route("two", Prefix::of(Ip::v4(0x0a000000 + i), 32), 0);
  EXPECT_TRUE(is_told());
  EXPECT_TRUE(leads_out(kV4, one_));
  settle();
  delete_route(kV4.far);
  EXPECT_TRUE(is_told());
}

}  // namespace
}  // namespace adit
