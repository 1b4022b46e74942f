#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <optional>

#include "net/interface.h"
#include "net/interface_watch.h"
#include "net/route_watch.h"
#include "net/tun.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

using test::wait_readable;

Ip ip(const char* text) { return *Ip::parse(text); }
Prefix prefix(const char* text) { return *Prefix::parse(text); }

void set_down(const std::string& interface) {
  const Fd socket(::socket(AF_LOCAL, SOCK_DGRAM, 0));
  ifreq request{};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  check_call("get flags", ::ioctl(socket.get(), SIOCGIFFLAGS, &request));
  request.ifr_flags = static_cast<short>(request.ifr_flags & ~IFF_UP);
  check_call("set flags", ::ioctl(socket.get(), SIOCSIFFLAGS, &request));
}

/// Two tuns with addresses of both versions.
class FreebsdInterface : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    a_.emplace(Tun::create("a0"));
    b_.emplace(Tun::create("b0"));
    for (const char* name : {"a0", "b0"}) set_no_automatic_addresses(name);
    add_address("a0", ip("10.1.0.1"), 24);
    add_address("a0", ip("fd01::1"), 64);
    add_address("b0", ip("10.2.0.1"), 24);
    add_address("b0", ip("fd02::1"), 64);
    for (const char* name : {"a0", "b0"}) set_up(name);
  }

  /// Whether a datagram to this address leaves by this interface.
  bool leads(const char* remote, const char* interface, uint32_t mark = 0) {
    return routes_().leads_out({ip(remote), 9}, {Ip(), if_nametoindex(interface)}, 9, mark);
  }

  RouteWatch& routes_() {
    if (!watch_) watch_.emplace();
    return *watch_;
  }

  std::optional<Tun> a_;
  std::optional<Tun> b_;
  std::optional<RouteWatch> watch_;
};

TEST_F(FreebsdInterface, RoutesLeadToTheInterfaceUntilTheyAreRemoved) {
  for (const auto& [network, inside] : {std::pair{"10.5.0.0/16", "10.5.1.1"}, std::pair{"fd05::/32", "fd05::9"},
                                        std::pair{"10.6.0.1/32", "10.6.0.1"}, std::pair{"fd06::1/128", "fd06::1"}}) {
    add_route("a0", prefix(network), 0);
    add_route("a0", prefix(network), 0);
    EXPECT_TRUE(leads(inside, "a0")) << network;
    EXPECT_FALSE(leads(inside, "b0")) << network;
    remove_route("a0", prefix(network), 0);
    remove_route("a0", prefix(network), 0);
    EXPECT_TRUE(leads(inside, "b0")) << network << ": without a route every way is as good";
  }
}

TEST_F(FreebsdInterface, ARouteWithoutAnAddressOfItsVersionIsOne) {
  const Tun bare = Tun::create("c0");
  set_up("c0");
  add_route("c0", prefix("10.5.0.0/16"), 0);
  add_route("c0", prefix("fd05::/32"), 0);
  EXPECT_TRUE(leads("10.5.0.1", "c0"));
  EXPECT_FALSE(leads("10.5.0.1", "a0"));
  EXPECT_FALSE(leads("fd05::1", "a0"));
}

TEST_F(FreebsdInterface, TheSameRouteElsewhereIsAnErrorAndIsNotRemoved) {
  add_route("a0", prefix("10.5.0.0/16"), 0);
  EXPECT_THROW(add_route("b0", prefix("10.5.0.0/16"), 0), std::system_error);
  remove_route("b0", prefix("10.5.0.0/16"), 0);
  EXPECT_TRUE(leads("10.5.0.1", "a0"));
  EXPECT_FALSE(leads("10.5.0.1", "b0"));
}

TEST_F(FreebsdInterface, ARouteThatItsOwnAddressBroughtIsNoError) {
  EXPECT_NO_THROW(add_route("a0", prefix("10.1.0.0/24"), 0));
  EXPECT_NO_THROW(add_route("a0", prefix("fd01::/64"), 0));
}

TEST_F(FreebsdInterface, AnAddressThatIsThereKeepsItsRoutes) {
  add_route("a0", prefix("10.5.0.0/16"), 0);
  add_address("a0", ip("10.1.0.1"), 24);
  EXPECT_FALSE(leads("10.5.0.1", "b0"));
  remove_address("a0", ip("10.1.0.1"), 24);
  remove_address("a0", ip("10.1.0.1"), 24);
  remove_address("a0", ip("fd01::1"), 64);
  EXPECT_TRUE(leads("10.1.0.9", "b0"));
}

TEST_F(FreebsdInterface, ErrorsNameTheInterfaceAndTheAttempt) {
  try {
    set_mtu("none", 1400);
    FAIL();
  } catch (const std::system_error& error) {
    EXPECT_EQ(std::string(error.what()).find("set MTU 1400 of none: "), 0u);
  }
}

TEST_F(FreebsdInterface, RouteWatchIsToldOfChangesAndNotOfItsOwnQuestions) {
  RouteWatch& watch = routes_();
  watch.drain();
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(leads("10.1.0.9", "a0"));
  wait_readable(watch.fd(), 100);
  watch.drain();  // so many that some may be lost, which counts as a change
  EXPECT_TRUE(leads("10.1.0.9", "a0"));
  wait_readable(watch.fd(), 100);
  EXPECT_FALSE(watch.drain());
  add_route("a0", prefix("10.5.0.0/16"), 0);
  ASSERT_TRUE(wait_readable(watch.fd()));
  EXPECT_TRUE(watch.drain());
}

TEST_F(FreebsdInterface, InterfaceWatchSeesUpDownAndMtu) {
  InterfaceWatch watch(a_->fd());
  ASSERT_TRUE(watch.look());
  EXPECT_TRUE(watch.look()->up);
  EXPECT_EQ(watch.look()->mtu, 1500u);
  while (wait_readable(watch.fds()[0], 50)) (void)watch.look();
  set_mtu("a0", 1280);
  EXPECT_TRUE(wait_readable(watch.fds()[0]));
  EXPECT_EQ(watch.look()->mtu, 1280u);
  while (wait_readable(watch.fds()[0], 50)) (void)watch.look();
  set_down("a0");
  EXPECT_TRUE(wait_readable(watch.fds()[0]));
  EXPECT_FALSE(watch.look()->up);
}

}  // namespace
}  // namespace adit
