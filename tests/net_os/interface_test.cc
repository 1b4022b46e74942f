#include "net/interface.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <functional>
#include <memory>
#include <set>
#include <sstream>

#include "net/netlink_linux.h"
#include "net/sockaddr.h"
#include "tests/support/netns.h"

namespace adit {
namespace {

using test::current_netns;
using test::enter_fresh_netns;
using test::enter_netns;

const std::string kZeros(32, '0');

ifreq query(const char* interface, unsigned long request_number) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, interface, sizeof request.ifr_name - 1);
  check_call("ioctl", ::ioctl(socket.get(), request_number, &request));
  return request;
}

int mtu_of(const char* interface) { return query(interface, SIOCGIFMTU).ifr_mtu; }
int queue_length_of(const char* interface) { return query(interface, SIOCGIFTXQLEN).ifr_qlen; }
bool is_up(const char* interface) { return (query(interface, SIOCGIFFLAGS).ifr_flags & IFF_UP) != 0; }

Ip ip_in(const sockaddr* address) {
  sockaddr_storage storage{};
  std::memcpy(&storage, address, address->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
  return from_sockaddr(storage).ip;
}

/// "address netmask", one for each time the interface has it.
std::multiset<std::string> addresses_of(const std::string& interface) {
  ifaddrs* list = nullptr;
  check_call("getifaddrs", getifaddrs(&list));
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, freeifaddrs);
  std::multiset<std::string> addresses;
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (entry->ifa_name != interface || entry->ifa_addr == nullptr) continue;
    if (entry->ifa_addr->sa_family != AF_INET && entry->ifa_addr->sa_family != AF_INET6) continue;
    addresses.insert(ip_in(entry->ifa_addr).to_string() + " " + ip_in(entry->ifa_netmask).to_string());
  }
  return addresses;
}

struct KernelRoute {
  std::string interface;
  std::string destination;
  std::string gateway;
  std::string mask;
  auto operator<=>(const KernelRoute&) const = default;
};

std::string hex_text(const std::string& hex) {
  in_addr address{};
  address.s_addr = static_cast<in_addr_t>(std::stoul(hex, nullptr, 16));
  return from_in_addr(address).to_string();
}

/// The main table of IPv4.
std::multiset<KernelRoute> routes() {
  std::ifstream file("/proc/self/net/route");
  std::multiset<KernelRoute> found;
  std::string line;
  std::getline(file, line);  // titles
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string interface, destination, gateway, flags, references, use, metric, mask;
    words >> interface >> destination >> gateway >> flags >> references >> use >> metric >> mask;
    found.insert({interface, hex_text(destination), hex_text(gateway), hex_text(mask)});
  }
  return found;
}

/// How many lines of a file begin and end like this.
long lines_with(const char* path, const std::string& begin, const std::string& end) {
  std::ifstream file(path);
  long count = 0;
  for (std::string line; std::getline(file, line);) count += line.starts_with(begin) && line.ends_with(end);
  return count;
}

/// Routes of IPv6 in all tables; the kernel writes destination, length, source, length and gateway in bare hex.
long ipv6_routes(const std::string& destination, const std::string& gateway, const std::string& interface) {
  return lines_with("/proc/self/net/ipv6_route", destination + " " + kZeros + " 00 " + gateway + " ", " " + interface);
}

std::string error_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const std::system_error& error) {
    return error.what();
  }
  return "no error";
}

class InterfaceTest : public test::NetnsTest {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (!IsSkipped()) create_veth("a", "b");
  }
};

TEST_F(InterfaceTest, SetsTheMtu) {
  set_mtu("a", 1420);
  EXPECT_EQ(mtu_of("a"), 1420);
  set_mtu("a", 1420);
  EXPECT_EQ(mtu_of("a"), 1420);
  EXPECT_EQ(mtu_of("b"), 1500);
}

TEST_F(InterfaceTest, SetsTheLengthOfTheQueue) {
  set_queue_length("a", 1234);
  EXPECT_EQ(queue_length_of("a"), 1234);
  EXPECT_NE(queue_length_of("b"), 1234);
}

TEST_F(InterfaceTest, SetsItUp) {
  EXPECT_FALSE(is_up("a"));
  set_up("a");
  set_up("a");
  EXPECT_TRUE(is_up("a"));
  EXPECT_FALSE(is_up("b"));
}

TEST_F(InterfaceTest, WithoutIpv6HasNoAutomaticAddressesAnyway) {
  set_mtu("a", 1279);  // too small for IPv6: to this interface it is not there, as on a machine that has none
  EXPECT_EQ(error_of([] { set_no_automatic_addresses("a"); }), "no error");
}

TEST_F(InterfaceTest, AddsAddressesOfBothVersionsOnce) {
  for (int time = 0; time < 2; ++time) {
    add_address("a", *Ip::parse("10.1.2.5"), 24);
    add_address("a", *Ip::parse("fd00::5"), 64);
  }
  EXPECT_EQ(addresses_of("a"), (std::multiset<std::string>{"10.1.2.5 255.255.255.0", "fd00::5 ffff:ffff:ffff:ffff::"}));
}

TEST_F(InterfaceTest, AddedIpv6AddressIsUsableAtOnce) {
  set_up("a");
  set_up("b");
  add_address("a", *Ip::parse("fd00::5"), 64);
  const Fd socket(::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_storage address{};
  const socklen_t size = to_sockaddr({*Ip::parse("fd00::5"), 0}, address);
  EXPECT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), size), 0) << strerror(errno);
}

TEST_F(InterfaceTest, AddsRoutesToTheMainTableOnce) {
  set_up("a");
  for (int time = 0; time < 2; ++time) {
    add_route("a", *Prefix::parse("10.1.2.2/32"), 0);
    add_route("a", *Prefix::parse("0.0.0.0/0"), 0);
    add_route("a", *Prefix::parse("fd01::/64"), 0);
    add_route("a", *Prefix::parse("::/0"), 0);
  }
  EXPECT_EQ(routes(), (std::multiset<KernelRoute>{{"a", "0.0.0.0", "0.0.0.0", "0.0.0.0"},
                                                  {"a", "10.1.2.2", "0.0.0.0", "255.255.255.255"}}));
  EXPECT_EQ(ipv6_routes("fd010000000000000000000000000000 40", kZeros, "a"), 1);
  EXPECT_EQ(ipv6_routes(kZeros + " 00", kZeros, "a"), 1);
}

TEST_F(InterfaceTest, AddsRoutesToATableOfAnyNumber) {
  set_up("a");
  add_route("a", *Prefix::parse("10.1.2.0/24"), 51820);
  add_route("a", *Prefix::parse("10.1.2.0/24"), 51820);
  EXPECT_TRUE(routes().empty());
  EXPECT_EQ(lines_with("/proc/self/net/fib_trie", "Id 51820:", ""), 1);
}

TEST_F(InterfaceTest, RemovesAddressesAndRoutesAndDoesNotMindIfTheyAreGone) {
  set_up("a");
  for (const char* address : {"10.1.2.5", "fd00::5"}) add_address("a", *Ip::parse(address), 32);
  for (const char* route : {"10.1.3.0/24", "fd01::/64"}) add_route("a", *Prefix::parse(route), 0);
  add_route("a", *Prefix::parse("10.1.3.0/24"), 51820);
  for (int time = 0; time < 2; ++time) {
    for (const char* address : {"10.1.2.5", "fd00::5"}) remove_address("a", *Ip::parse(address), 32);
    for (const char* route : {"10.1.3.0/24", "fd01::/64"}) remove_route("a", *Prefix::parse(route), 0);
  }
  EXPECT_TRUE(addresses_of("a").empty());
  EXPECT_TRUE(routes().empty());
  EXPECT_EQ(ipv6_routes("fd010000000000000000000000000000 40", kZeros, "a"), 0);
}

TEST_F(InterfaceTest, RemovesARouteOfItsOwnTableAndInterfaceOnly) {
  set_up("a");
  set_up("b");
  const Prefix destination = *Prefix::parse("10.1.3.0/24");
  add_route("a", destination, 0);
  remove_route("a", destination, 7);
  remove_route("b", destination, 0);
  EXPECT_EQ(routes().size(), 1u);
}

TEST_F(InterfaceTest, SameRouteElsewhereIsAnError) {
  set_up("a");
  set_up("b");
  for (const char* destination : {"10.1.2.0/24", "0.0.0.0/0", "fd01::/64"}) {
    add_route("a", *Prefix::parse(destination), 0);
    EXPECT_EQ(error_of([&] { add_route("b", *Prefix::parse(destination), 0); }),
              "add route " + std::string(destination) + " to b: File exists (another interface has this route)");
    add_route("b", *Prefix::parse(destination), 7);  // another table is another matter
  }
}

TEST_F(InterfaceTest, RouteThatItsOwnAddressBroughtIsNoError) {
  set_up("a");
  add_address("a", *Ip::parse("10.1.2.5"), 24);
  add_route("a", *Prefix::parse("10.1.2.0/24"), 0);
  EXPECT_EQ(routes().size(), 1u);
}

TEST_F(InterfaceTest, ErrorsNameTheInterfaceAndTheAttempt) {
  const auto nowhere = *Prefix::parse("10.1.2.2/32");
  EXPECT_EQ(error_of([] { set_mtu("wg7", 1420); }), "set MTU 1420 of wg7: No such device");
  EXPECT_EQ(error_of([] { set_no_automatic_addresses("wg7"); }), "set address generation of wg7: No such device");
  EXPECT_EQ(error_of([] { set_up("wg7"); }), "set wg7 up: No such device");
  EXPECT_EQ(error_of([] { add_address("wg7", *Ip::parse("fd00::5"), 64); }),
            "add address fd00::5/64 to wg7: No such device");
  EXPECT_EQ(error_of([&] { add_route("wg7", nowhere, 0); }), "add route 10.1.2.2/32 to wg7: No such device");
  EXPECT_EQ(error_of([&] { add_route("a", nowhere, 0); }), "add route 10.1.2.2/32 to a: Network is down");
}

TEST_F(InterfaceTest, RefusalForWantOfPrivilegeIsAnError) {
  EXPECT_EXIT(
      {
        test::drop_capabilities();
        std::fputs(error_of([] { set_mtu("a", 1420); }).c_str(), stderr);
        _exit(0);
      },
      testing::ExitedWithCode(0), "set MTU 1420 of a: Operation not permitted");
}

using NetlinkTest = InterfaceTest;

TEST_F(NetlinkTest, VethEndCanMoveToAnotherNamespace) {
  const Fd here = current_netns();
  ASSERT_EQ(enter_fresh_netns(), "");
  const Fd there = current_netns();
  EXPECT_EQ(if_nametoindex("b"), 0u);
  enter_netns(here);
  move_to_namespace("b", there.get());
  EXPECT_EQ(if_nametoindex("b"), 0u);
  EXPECT_NE(if_nametoindex("a"), 0u);
  enter_netns(there);
  EXPECT_NE(if_nametoindex("b"), 0u);
}

TEST_F(NetlinkTest, RouteViaAGateway) {
  set_up("a");
  set_up("b");
  add_address("a", *Ip::parse("10.1.2.5"), 24);
  add_address("a", *Ip::parse("fd00::5"), 64);
  add_route_via(*Prefix::parse("0.0.0.0/0"), *Ip::parse("10.1.2.1"));
  add_route_via(*Prefix::parse("fd02::/16"), *Ip::parse("fd00::1"));
  EXPECT_TRUE(routes().contains({"a", "0.0.0.0", "10.1.2.1", "0.0.0.0"}));
  EXPECT_EQ(ipv6_routes("fd020000000000000000000000000000 10", "fd000000000000000000000000000001", "a"), 1);
}

TEST_F(NetlinkTest, ErrorsSayWhatWasTried) {
  EXPECT_EQ(error_of([] { create_veth("a", "c"); }), "create veth a and c: File exists");
  EXPECT_EQ(error_of([] { create_veth("this-is-longer-than-15", "c"); }).find("create veth this-is-longer"), 0u);
  EXPECT_EQ(error_of([] { create_veth(std::string(5000, 'x'), "c"); }).find("create veth xxx"), 0u);
  EXPECT_EQ(error_of([] { move_to_namespace("c", 0); }), "move c to another namespace: No such device");
  EXPECT_EQ(error_of([] { move_to_namespace("a", -1); }), "move a to another namespace: Bad file descriptor");
  EXPECT_EQ(error_of([] { add_route_via(*Prefix::parse("10.0.0.0/8"), *Ip::parse("192.0.2.1")); }),
            "add route 10.0.0.0/8 via 192.0.2.1: Network is unreachable");
}

}  // namespace
}  // namespace adit
