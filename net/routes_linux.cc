#include <linux/rtnetlink.h>

#include "net/netlink_linux.h"
#include "net/routes.h"

namespace adit {
namespace {

/// Where a route leads; a default route's says nothing.
struct Destination {
  std::optional<Ip> ip;
};

int read_destination(const nlattr* attribute, void* destination) {
  if (mnl_attr_get_type(attribute) != RTA_DST) return MNL_CB_OK;
  const auto* bytes = static_cast<const uint8_t*>(mnl_attr_get_payload(attribute));
  const size_t size = mnl_attr_get_payload_len(attribute);
  auto& ip = static_cast<Destination*>(destination)->ip;
  if (size == 4) ip = Ip::v4(std::span<const uint8_t, 4>(bytes, 4));
  if (size == 16) ip = Ip::v6(std::span<const uint8_t, 16>(bytes, 16));
  return MNL_CB_OK;
}

}  // namespace

std::vector<Prefix> routed_networks() {
  std::vector<Prefix> networks;
  NetlinkRequest request("read routes", RTM_GETROUTE, 0, rtmsg{});  // of either IP version
  request.list([&](const nlmsghdr* message) {
    const auto* route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(message));
    if (route->rtm_family != AF_INET && route->rtm_family != AF_INET6) return;
    Destination destination;
    mnl_attr_parse(message, sizeof *route, read_destination, &destination);
    if (destination.ip) networks.push_back(Prefix::of(*destination.ip, route->rtm_dst_len));
  });
  return networks;
}

}  // namespace adit
