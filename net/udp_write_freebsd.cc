// To the socket, several datagrams a call.

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// Datagrams per call; small enough for the stack.
constexpr size_t kMessages = 64;

/// Room for two control messages: traffic class, and packet info of the larger kind.
struct Control {
  alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

bool is_link_local_v6(const Ip& ip) noexcept {
  const ConstBytes bytes = ip.bytes();
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;  // RFC 4291 2.5.6
}

/// The interface an IPv6 datagram must leave by, or 0: a link-local address means something on one link only, all
/// others go where the routes say, which may have changed since the peer was heard.
uint32_t pinned_interface(const Datagram& datagram) noexcept {
  if (datagram.remote.scope != 0) return datagram.remote.scope;
  return is_link_local_v6(datagram.local.ip) ? datagram.local.interface : 0;
}

template <typename Content>
size_t put_control(Control& control, size_t at, int level, int type, const Content& content) noexcept {
  cmsghdr header{};
  header.cmsg_len = CMSG_LEN(sizeof content);
  header.cmsg_level = level;
  header.cmsg_type = type;
  std::memcpy(&control.bytes[at], &header, sizeof header);
  std::memcpy(&control.bytes[at] + CMSG_LEN(0), &content, sizeof content);
  return at + CMSG_SPACE(sizeof content);
}

// Each returns where the next control message goes: at the same place when there is nothing to say.

/// The traffic class, unless it is the usual one.
size_t put_tos(Control& control, size_t at, const Datagram& datagram) noexcept {
  if (datagram.tos == 0) return at;
  // A byte here, though an int in IPv6.
  if (datagram.remote.ip.is_v4()) return put_control(control, at, IPPROTO_IP, IP_TOS, datagram.tos);
  return put_control(control, at, IPPROTO_IPV6, IPV6_TCLASS, int{datagram.tos});
}

/// The local address, unless the kernel shall choose.
size_t put_local(Control& control, size_t at, const Datagram& datagram) noexcept {
  const Ip& ip = datagram.local.ip;
  if (ip.is_unspecified()) return at;
  if (ip.is_v4()) return put_control(control, at, IPPROTO_IP, IP_SENDSRCADDR, to_in_addr(ip));
  in6_pktinfo info{};
  info.ipi6_ifindex = pinned_interface(datagram);
  info.ipi6_addr = to_in6_addr(ip);
  return put_control(control, at, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

/// What sendmmsg works on.  Lives on the stack, filled in only as far as it is used.
struct Messages {
  std::array<mmsghdr, kMessages> headers;
  std::array<iovec, kMessages> payloads;
  std::array<sockaddr_storage, kMessages> remotes;
  std::array<Control, kMessages> controls;

  /// `names_local`: whether datagrams may say where they leave from.
  size_t fill(std::span<Datagram> datagrams, bool names_local) noexcept {
    const size_t count = std::min(datagrams.size(), kMessages);
    for (size_t i = 0; i < count; ++i) add(i, datagrams[i], names_local);
    return count;
  }

 private:
  void add(size_t i, Datagram& datagram, bool names_local) noexcept {
    payloads[i] = {datagram.packet.data(), datagram.packet.size()};
    size_t at = put_tos(controls[i], 0, datagram);
    if (names_local) at = put_local(controls[i], at, datagram);
    headers[i] = {};
    msghdr& header = headers[i].msg_hdr;
    header.msg_name = &remotes[i];
    header.msg_namelen = to_sockaddr(datagram.remote, remotes[i]);
    header.msg_iov = &payloads[i];
    header.msg_iovlen = 1;
    // Without any the pointer must not be there either.
    if (at > 0) header.msg_control = controls[i].bytes.data();
    header.msg_controllen = static_cast<socklen_t>(at);
  }
};

/// What the kernel says when the local address is gone, its interface is, or no route leads from there any more.
bool may_be_stale_local(int error) noexcept {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENXIO || error == ENETUNREACH || error == EHOSTUNREACH;
}

}  // namespace

/// sendmmsg stops before a datagram that fails and reports its error only when it is the first of the next call.
void UdpSocket::write(std::span<Datagram> datagrams, DropCounters& drops) noexcept {
  Messages messages;
  // For IPv4 the kernel refuses it from a socket that has an address, which is the one then.
  const bool names_local = local_.ip.is_v6() || local_.ip.is_unspecified();
  while (!datagrams.empty()) {
    const size_t count = messages.fill(datagrams, names_local);
    const ssize_t sent = ::sendmmsg(fd(), messages.headers.data(), count, 0);
    if (sent > 0) {
      datagrams = datagrams.subspan(static_cast<size_t>(sent));
      continue;
    }
    if (may_be_stale_local(errno) && !datagrams.front().local.ip.is_unspecified()) {
      datagrams.front().local = {};  // the kernel shall choose
      continue;
    }
    drops.count(errno == EAGAIN || errno == ENOBUFS ? Drop::kSocketFull : Drop::kSocketError);
    datagrams.front().packet = {};
    datagrams = datagrams.subspan(1);
  }
}

}  // namespace adit
