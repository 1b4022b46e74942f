// How it works.  What notices say is not read: the kernel is asked about each way that matters, with everything that
// its rules can look at.  It puts its answer into the socket before the question's system call returns.

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "net/route_watch.h"

namespace adit {
namespace {

/// What does not fit is lost, which does no harm, and a storm costs no memory.
constexpr int kNoticeBuffer = 16 << 10;
/// An IPv4 route goes without a notice of its own when its interface goes down.
constexpr uint32_t kChanges =
    RTMGRP_LINK | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE | RTMGRP_IPV6_ROUTE | uint32_t{1} << (RTNLGRP_IPV6_RULE - 1);

constexpr uint32_t kNoInterface = 0;

Fd open_netlink(uint32_t groups) {
  const std::string what = "watch routes";
  Fd fd(check_call(what, ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE)));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups = groups;
  check_call(what, ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address));
  return fd;
}

void put_ip(nlmsghdr* message, uint16_t attribute, const Ip& ip) noexcept {
  mnl_attr_put(message, attribute, ip.bytes().size(), ip.bytes().data());
}

void put_port(nlmsghdr* message, uint16_t attribute, uint16_t port) noexcept {
  mnl_attr_put_u16(message, attribute, htons(port));
}

int read_interface(const nlattr* attribute, void* interface) {
  if (mnl_attr_get_type(attribute) == RTA_OIF) *static_cast<uint32_t*>(interface) = mnl_attr_get_u32(attribute);
  return MNL_CB_OK;
}

/// The interface that the answer to question `sequence` names: kNoInterface for no route.  Nothing when there is no
/// answer.
std::optional<uint32_t> read_answer(int fd, uint32_t sequence) noexcept {
  alignas(nlmsghdr) std::array<char, 4096> buffer;
  while (true) {
    const ssize_t size = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (size < 0) return {};
    const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
    if (!mnl_nlmsg_ok(message, static_cast<int>(size)) || message->nlmsg_seq != sequence) continue;
    uint32_t interface = kNoInterface;
    if (message->nlmsg_type == RTM_NEWROUTE) mnl_attr_parse(message, sizeof(rtmsg), read_interface, &interface);
    return interface;
  }
}

struct Question {
  const Endpoint& remote;
  const Ip& source;  // unspecified: the kernel chooses
  uint16_t port;
  uint32_t mark;
};

std::optional<uint32_t> ask(int fd, uint32_t sequence, const Question& question) noexcept {
  alignas(nlmsghdr) std::array<char, 256> buffer;
  nlmsghdr* const message = mnl_nlmsg_put_header(buffer.data());
  message->nlmsg_type = RTM_GETROUTE;
  message->nlmsg_flags = NLM_F_REQUEST;
  message->nlmsg_seq = sequence;
  auto* const header = static_cast<rtmsg*>(mnl_nlmsg_put_extra_header(message, sizeof(rtmsg)));
  const auto bits = static_cast<uint8_t>(question.remote.ip.bits());
  header->rtm_family = question.remote.ip.is_v4() ? AF_INET : AF_INET6;
  header->rtm_dst_len = bits;
  put_ip(message, RTA_DST, question.remote.ip);
  if (!question.source.is_unspecified()) {
    header->rtm_src_len = bits;
    put_ip(message, RTA_SRC, question.source);
  }
  if (question.remote.scope != 0) mnl_attr_put_u32(message, RTA_OIF, question.remote.scope);
  if (question.mark != 0) mnl_attr_put_u32(message, RTA_MARK, question.mark);
  mnl_attr_put_u8(message, RTA_IP_PROTO, IPPROTO_UDP);
  put_port(message, RTA_SPORT, question.port);
  put_port(message, RTA_DPORT, question.remote.port);
  if (::send(fd, message, message->nlmsg_len, 0) < 0) return {};
  return read_answer(fd, sequence);
}

}  // namespace

RouteWatch::RouteWatch() : notices_(open_netlink(kChanges)), questions_(open_netlink(0)) {
  check_call("watch routes", ::setsockopt(notices_.get(), SOL_SOCKET, SO_RCVBUF, &kNoticeBuffer, sizeof kNoticeBuffer));
}

bool RouteWatch::drain() noexcept {
  std::array<char, 8192> buffer;
  while (::read(notices_.get(), buffer.data(), buffer.size()) > 0 || errno == ENOBUFS) {
  }
  return true;
}

bool RouteWatch::leads_out(const Endpoint& remote, const Local& local, uint16_t port, uint32_t mark) noexcept {
  const auto interface = ask(questions_.get(), ++sequence_, {remote, local.ip, port, mark});
  if (!interface || *interface == local.interface) return true;
  if (*interface != kNoInterface) return false;
  return ask(questions_.get(), ++sequence_, {remote, Ip(), port, mark}).value_or(kNoInterface) == kNoInterface;
}

}  // namespace adit
