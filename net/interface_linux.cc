#include <linux/rtnetlink.h>
#include <net/if.h>

#include <cstring>
#include <system_error>

#include "net/fd.h"
#include "net/interface.h"
#include "net/netlink_linux.h"

namespace adit {
namespace {

uint8_t family_of(const Ip& ip) noexcept { return ip.is_v4() ? AF_INET : AF_INET6; }

struct RouteAttributes {
  const Prefix* destination;
  bool same_destination;
  uint32_t table;
  uint32_t out_interface;
};

int read_route_attribute(const nlattr* attribute, void* data) {
  auto& route = *static_cast<RouteAttributes*>(data);
  const ConstBytes wanted = route.destination->ip.bytes();
  switch (mnl_attr_get_type(attribute)) {
    case RTA_DST:
      route.same_destination = mnl_attr_get_payload_len(attribute) == wanted.size() &&
                               std::memcmp(mnl_attr_get_payload(attribute), wanted.data(), wanted.size()) == 0;
      break;
    case RTA_TABLE:
      route.table = mnl_attr_get_u32(attribute);
      break;
    case RTA_OIF:
      route.out_interface = mnl_attr_get_u32(attribute);
      break;
    default:
      break;
  }
  return MNL_CB_OK;
}

/// Whether `table` sends exactly `destination` out of the interface.
bool has_route(unsigned interface, const Prefix& destination, uint32_t table) {
  rtmsg header{};
  header.rtm_family = family_of(destination.ip);
  bool found = false;
  NetlinkRequest("list routes", RTM_GETROUTE, 0, header).list([&](const nlmsghdr* message) {
    const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
    if (route->rtm_type != RTN_UNICAST || route->rtm_dst_len != destination.length) return;
    // The default route comes without RTA_DST.
    RouteAttributes attributes{&destination, destination.length == 0, route->rtm_table, 0};
    mnl_attr_parse(message, sizeof *route, read_route_attribute, &attributes);
    found |= attributes.same_destination && attributes.table == table && attributes.out_interface == interface;
  });
  return found;
}

ifaddrmsg address_header(unsigned interface, const Ip& address, uint8_t prefix_length) {
  ifaddrmsg header{};
  header.ifa_family = family_of(address);
  header.ifa_prefixlen = prefix_length;
  // Nobody else can have it on a point-to-point link, and the check would keep it from use for a second.
  header.ifa_flags = address.is_v6() ? IFA_F_NODAD : 0;
  header.ifa_scope = RT_SCOPE_UNIVERSE;
  header.ifa_index = interface;
  return header;
}

uint32_t real_table(uint32_t table) { return table == 0 ? uint32_t{RT_TABLE_MAIN} : table; }

rtmsg route_header(const Prefix& destination) {
  rtmsg header{};
  header.rtm_family = family_of(destination.ip);
  header.rtm_dst_len = destination.length;
  header.rtm_table = RT_TABLE_UNSPEC;  // RTA_TABLE has it: numbers above 255 do not fit here
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_LINK;
  header.rtm_type = RTN_UNICAST;
  return header;
}

void put_route(NetlinkRequest& request, unsigned interface, const Prefix& destination, uint32_t table) {
  request.put(RTA_DST, destination.ip);
  request.put(RTA_TABLE, table);
  request.put(RTA_OIF, interface);
}

}  // namespace

void set_mtu(const std::string& interface, unsigned mtu) {
  const std::string what = "set MTU " + std::to_string(mtu) + " of " + interface;
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(interface, what));
  NetlinkRequest request(what, RTM_NEWLINK, 0, header);
  request.put(IFLA_MTU, mtu);
  request.send();
}

void set_largest_super_packet(const std::string& interface, unsigned size) {
  const std::string what = "set largest super-packet of " + interface;
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(interface, what));
  NetlinkRequest request(what, RTM_NEWLINK, 0, header);
  request.put(IFLA_GSO_MAX_SIZE, size);
  request.send();
}

void set_queue_length(const std::string& interface, unsigned packets) {
  const std::string what = "set queue length " + std::to_string(packets) + " of " + interface;
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(interface, what));
  NetlinkRequest request(what, RTM_NEWLINK, 0, header);
  request.put(IFLA_TXQLEN, packets);
  request.send();
}

void set_up(const std::string& interface) {
  const std::string what = "set " + interface + " up";
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(interface, what));
  header.ifi_flags = IFF_UP;
  header.ifi_change = IFF_UP;
  NetlinkRequest(what, RTM_NEWLINK, 0, header).send();
}

void set_no_automatic_addresses(const std::string& interface) {
  const std::string what = "set address generation of " + interface;
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(interface, what));
  NetlinkRequest request(what, RTM_NEWLINK, 0, header);
  request.nest(IFLA_AF_SPEC, [&] {
    request.nest(AF_INET6, [&] { request.put_byte(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE); });
  });
  try {
    request.send();
  } catch (const std::system_error& error) {
    // Without IPv6, on this machine or at this MTU, there are none to keep away.
    if (error.code() != std::errc::address_family_not_supported) throw;
  }
}

void add_address(const std::string& interface, const Ip& address, uint8_t prefix_length) {
  const std::string what = "add address " + Prefix{address, prefix_length}.to_string() + " to " + interface;
  NetlinkRequest request(what, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
                         address_header(interface_index(interface, what), address, prefix_length));
  request.put(IFA_LOCAL, address);
  request.put(IFA_ADDRESS, address);
  (void)request.send_unless_there();
}

void remove_address(const std::string& interface, const Ip& address, uint8_t prefix_length) {
  const std::string what = "remove address " + Prefix{address, prefix_length}.to_string() + " from " + interface;
  NetlinkRequest request(what, RTM_DELADDR, 0,
                         address_header(interface_index(interface, what), address, prefix_length));
  request.put(IFA_LOCAL, address);
  request.put(IFA_ADDRESS, address);
  request.send_unless_gone();
}

void add_route(const std::string& interface, const Prefix& destination, uint32_t table) {
  const std::string what = "add route " + destination.to_string() + " to " + interface;
  const unsigned index = interface_index(interface, what);
  NetlinkRequest request(what, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, route_header(destination));
  put_route(request, index, destination, real_table(table));
  if (request.send_unless_there() || has_route(index, destination, real_table(table))) return;
  // The kernel says "exists" also when the same destination goes elsewhere; to pass over that would be to send the
  // peer's packets there, unencrypted.
  throw AdvisedError(EEXIST, what, "another interface has this route");
}

void remove_route(const std::string& interface, const Prefix& destination, uint32_t table) {
  const std::string what = "remove route " + destination.to_string() + " from " + interface;
  NetlinkRequest request(what, RTM_DELROUTE, 0, route_header(destination));
  put_route(request, interface_index(interface, what), destination, real_table(table));
  request.send_unless_gone();
}

}  // namespace adit
