#include "net/netlink_linux.h"

#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>

namespace adit {
namespace {

/// A message sent on a fresh socket is alone there: any number does to recognise its answer.
constexpr uint32_t kSequence = 1;

using Answers = std::function<void(const nlmsghdr*)>;

int call_answers(const nlmsghdr* message, void* answers) {
  (*static_cast<const Answers*>(answers))(message);
  return MNL_CB_OK;
}

}  // namespace

NetlinkRequest::NetlinkRequest(std::string what, uint16_t type, uint16_t flags)
    : what_(std::move(what)), message_(mnl_nlmsg_put_header(buffer_.data())) {
  message_->nlmsg_type = type;
  message_->nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
  message_->nlmsg_seq = kSequence;
}

void NetlinkRequest::put_header(const void* header, size_t size) {
  if (message_->nlmsg_len + MNL_ALIGN(size) > buffer_.size()) fail(EMSGSIZE);
  std::memcpy(mnl_nlmsg_put_extra_header(message_, size), header, size);
}

void NetlinkRequest::put_bytes(uint16_t attribute, const void* data, size_t size) {
  if (!mnl_attr_put_check(message_, buffer_.size(), attribute, size, data)) fail(EMSGSIZE);
}

void NetlinkRequest::nest(uint16_t attribute, const std::function<void()>& fill) {
  nlattr* start = mnl_attr_nest_start_check(message_, buffer_.size(), attribute);
  if (start == nullptr) fail(EMSGSIZE);
  fill();
  mnl_attr_nest_end(message_, start);
}

void NetlinkRequest::send() {
  const int error = exchange(NLM_F_ACK, {});
  if (error != 0) fail(error);
}

bool NetlinkRequest::send_unless_there() {
  const int error = exchange(NLM_F_ACK, {});
  if (error != 0 && error != EEXIST) fail(error);
  return error == 0;
}

void NetlinkRequest::send_unless_gone() {
  const int error = exchange(NLM_F_ACK, {});
  if (error != 0 && error != ESRCH && error != EADDRNOTAVAIL) fail(error);
}

void NetlinkRequest::ask(const Answers& each) {
  const int error = exchange(NLM_F_ACK, each);
  if (error != 0) fail(error);
}

void NetlinkRequest::list(const Answers& each) {
  const int error = exchange(NLM_F_DUMP, each);
  if (error != 0) fail(error);
}

/// 0 or the errno of what went wrong, here or in the kernel.
int NetlinkRequest::exchange(uint16_t flags, const Answers& each) {
  message_->nlmsg_flags = static_cast<uint16_t>(message_->nlmsg_flags | flags);
  const std::unique_ptr<mnl_socket, int (*)(mnl_socket*)> socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC),
                                                                 mnl_socket_close);
  if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return errno;
  if (mnl_socket_sendto(socket.get(), message_, message_->nlmsg_len) < 0) return errno;

  Answers answers = each;
  alignas(nlmsghdr) std::array<char, 32768> buffer;  // the most the kernel puts into one part of a list
  while (true) {
    const ssize_t size = mnl_socket_recvfrom(socket.get(), buffer.data(), buffer.size());
    if (size < 0) return errno;
    const int more = mnl_cb_run(buffer.data(), static_cast<size_t>(size), kSequence,
                                mnl_socket_get_portid(socket.get()), answers ? call_answers : nullptr, &answers);
    if (more < 0) return errno;
    if (more == MNL_CB_STOP) return 0;
  }
}

void NetlinkRequest::fail(int error) const { throw std::system_error(error, std::generic_category(), what_); }

unsigned interface_index(const std::string& interface, const std::string& what) {
  const unsigned index = if_nametoindex(interface.c_str());
  if (index == 0) throw std::system_error(errno, std::generic_category(), what);
  return index;
}

void create_veth(const std::string& name, const std::string& peer_name) {
  NetlinkRequest request("create veth " + name + " and " + peer_name, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                         ifinfomsg{});
  request.put(IFLA_IFNAME, name);
  request.nest(IFLA_LINKINFO, [&] {
    request.put(IFLA_INFO_KIND, std::string("veth"));
    request.nest(IFLA_INFO_DATA, [&] {
      request.nest(VETH_INFO_PEER, [&] {
        request.put_header(ifinfomsg{});
        request.put(IFLA_IFNAME, peer_name);
      });
    });
  });
  request.send();
}

void move_to_namespace(const std::string& interface, int namespace_fd) {
  const std::string what = "move " + interface + " to another namespace";
  ifinfomsg header{};
  header.ifi_index = static_cast<int>(interface_index(interface, what));
  NetlinkRequest request(what, RTM_NEWLINK, 0, header);
  request.put(IFLA_NET_NS_FD, static_cast<uint32_t>(namespace_fd));
  request.send();
}

void add_route_via(const Prefix& destination, const Ip& gateway) {
  rtmsg header{};
  header.rtm_family = destination.ip.is_v4() ? AF_INET : AF_INET6;
  header.rtm_dst_len = destination.length;
  header.rtm_table = RT_TABLE_MAIN;
  header.rtm_protocol = RTPROT_STATIC;
  header.rtm_scope = RT_SCOPE_UNIVERSE;
  header.rtm_type = RTN_UNICAST;
  NetlinkRequest request("add route " + destination.to_string() + " via " + gateway.to_string(), RTM_NEWROUTE,
                         NLM_F_CREATE | NLM_F_EXCL, header);
  request.put(RTA_DST, destination.ip);
  request.put(RTA_GATEWAY, gateway);
  request.send();
}

}  // namespace adit
