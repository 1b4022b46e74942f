#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// Datagrams per system call.  More gain nothing that can be measured, and this many need 9 KiB of stack.
constexpr size_t kMessages = 32;
/// Enough for some milliseconds of full speed while the loop is elsewhere.
constexpr int kSocketBuffer = 4 << 20;

/// Room for two control messages: traffic class, then packet info, the larger kind.
constexpr size_t kTosControl = CMSG_SPACE(sizeof(int));
struct Control {
  alignas(cmsghdr) std::array<uint8_t, kTosControl + CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
};

/// What recvmmsg and sendmmsg work on.  Lives on the stack, filled in only as far as it is used.
struct Messages {
  std::array<mmsghdr, kMessages> headers;
  std::array<iovec, kMessages> payloads;
  std::array<sockaddr_storage, kMessages> remotes;
  std::array<Control, kMessages> controls;

  void prepare(size_t i, Bytes payload, socklen_t remote_size, size_t control_size) noexcept {
    payloads[i] = {payload.data(), payload.size()};
    headers[i] = {};
    msghdr& header = headers[i].msg_hdr;
    header.msg_name = &remotes[i];
    header.msg_namelen = remote_size;
    header.msg_iov = &payloads[i];
    header.msg_iovlen = 1;
    header.msg_control = controls[i].bytes.data();
    header.msg_controllen = control_size;
  }
};

// ---- binding

void set_option(int fd, int level, int option, int value, const std::string& what) {
  check_call(what, ::setsockopt(fd, level, option, &value, sizeof value));
}

/// The forced kind ignores the administrator's limit and needs CAP_NET_ADMIN; the plain kind gets what the limit
/// allows.
void enlarge(int fd, int forced_option, int plain_option, const std::string& what) {
  if (::setsockopt(fd, SOL_SOCKET, forced_option, &kSocketBuffer, sizeof kSocketBuffer) == 0) return;
  set_option(fd, SOL_SOCKET, plain_option, kSocketBuffer, what);
}

void set_options(int fd, bool v4, const std::string& what) {
  enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF, what);
  enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF, what);
  if (v4) {
    set_option(fd, IPPROTO_IP, IP_PKTINFO, 1, what);
    set_option(fd, IPPROTO_IP, IP_RECVTOS, 1, what);
    // No "don't fragment", as the kernel's own WireGuard: a path smaller than the MTU allows is slow, not a black hole.
    set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT, what);
    return;
  }
  set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1, what);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, what);
  set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1, what);
}

std::string bind_advice(int error, const Endpoint& local) {
  if (error == EACCES && local.port < 1024) return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
  if (error == EADDRINUSE) return "another program has this port";
  if (error == EADDRNOTAVAIL) return "the address is not on this machine";
  return "";
}

// ---- reading

/// Datagrams received, 0 when there are none.  An error that waits in the socket (a peer's ICMP message) is reported
/// once in place of data, so asking again is right; the bound is for errors that would stay.
size_t receive(int fd, Messages& messages, size_t count) noexcept {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const int received = ::recvmmsg(fd, messages.headers.data(), static_cast<unsigned>(count), 0, nullptr);
    if (received >= 0) return static_cast<size_t>(received);
    if (errno == EAGAIN) return 0;
  }
  return 0;
}

template <typename Content>
Content content_of(const cmsghdr* control) noexcept {
  Content content;
  std::memcpy(&content, CMSG_DATA(control), sizeof content);
  return content;
}

void take_v4_control(const cmsghdr* control, Datagram& datagram) noexcept {
  if (control->cmsg_type == IP_PKTINFO) {
    // spec_dst, not addr: for a broadcast it is the address to answer from.
    const auto info = content_of<in_pktinfo>(control);
    datagram.local = {from_in_addr(info.ipi_spec_dst), static_cast<uint32_t>(info.ipi_ifindex)};
  } else if (control->cmsg_type == IP_TOS) {
    datagram.tos = content_of<uint8_t>(control);  // a byte here, though an int on the way out and in IPv6
  }
}

void take_v6_control(const cmsghdr* control, Datagram& datagram) noexcept {
  if (control->cmsg_type == IPV6_PKTINFO) {
    const auto info = content_of<in6_pktinfo>(control);
    datagram.local = {from_in6_addr(info.ipi6_addr), info.ipi6_ifindex};
  } else if (control->cmsg_type == IPV6_TCLASS) {
    datagram.tos = static_cast<uint8_t>(content_of<int>(control));
  }
}

void take_controls(msghdr& header, Datagram& datagram) noexcept {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == IPPROTO_IP) take_v4_control(control, datagram);
    if (control->cmsg_level == IPPROTO_IPV6) take_v6_control(control, datagram);
  }
}

/// One system call, straight into pool packets.  The pool must have `count`.  The number of datagrams received, also
/// those that were dropped.
size_t receive_into(int fd, PacketPool& pool, size_t count, Datagrams& out, DropCounters& drops) noexcept {
  Messages messages;
  const size_t first = out.size();
  for (size_t i = 0; i < count; ++i) {
    out.push_back({pool.take(), {}, {}});
    messages.prepare(i, out.back().packet.push_back(pool.largest_packet()), sizeof(sockaddr_storage), sizeof(Control));
  }
  const size_t received = receive(fd, messages, count);

  size_t kept = first;
  for (size_t i = 0; i < received; ++i) {
    msghdr& header = messages.headers[i].msg_hdr;
    if ((header.msg_flags & MSG_TRUNC) != 0) {
      drops.count(Drop::kTruncatedRead);
      continue;
    }
    Datagram& datagram = out[first + i];
    datagram.packet.trim_to(messages.headers[i].msg_len);
    datagram.remote = from_sockaddr(messages.remotes[i]);
    take_controls(header, datagram);
    out[kept++] = std::move(datagram);
  }
  // From the back, so that the pool hands out the same few slots again next time.
  while (out.size() > kept) out.pop_back();
  return received;
}

/// Throws datagrams away: left in the socket they would wake a level-triggered loop for ever.
size_t discard(int fd, size_t count, DropCounters& drops) noexcept {
  Messages messages;
  for (size_t i = 0; i < count; ++i) messages.headers[i] = {};
  const size_t received = receive(fd, messages, count);
  drops.count(Drop::kNoBuffer, received);
  return received;
}

// ---- writing

bool is_link_local(const Ip& ip) noexcept {
  const ConstBytes bytes = ip.bytes();
  if (ip.is_v4()) return bytes[0] == 169 && bytes[1] == 254;  // RFC 3927
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;       // RFC 4291 2.5.6
}

/// The interface a datagram must leave by, or 0: a link-local address means something on one link only, all others go
/// where the routes say, which may have changed since the peer was heard.
uint32_t pinned_interface(const Datagram& datagram) noexcept {
  if (datagram.remote.scope != 0) return datagram.remote.scope;
  return is_link_local(datagram.local.ip) ? datagram.local.interface : 0;
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
  const int tos = datagram.tos;
  if (datagram.remote.ip.is_v4()) return put_control(control, at, IPPROTO_IP, IP_TOS, tos);
  return put_control(control, at, IPPROTO_IPV6, IPV6_TCLASS, tos);
}

/// The local address, unless the kernel shall choose.
size_t put_local(Control& control, size_t at, const Datagram& datagram) noexcept {
  const Ip& ip = datagram.local.ip;
  if (ip.is_unspecified()) return at;
  if (ip.is_v4()) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(pinned_interface(datagram));
    info.ipi_spec_dst = to_in_addr(ip);
    return put_control(control, at, IPPROTO_IP, IP_PKTINFO, info);
  }
  in6_pktinfo info{};
  info.ipi6_ifindex = pinned_interface(datagram);
  info.ipi6_addr = to_in6_addr(ip);
  return put_control(control, at, IPPROTO_IPV6, IPV6_PKTINFO, info);
}

size_t put_controls(Control& control, const Datagram& datagram) noexcept {
  return put_local(control, put_tos(control, 0, datagram), datagram);
}

/// What the kernel says when the local address is gone, its interface is, or no route leads from there any more.
bool may_be_stale_local(int error) noexcept {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENODEV || error == ENETUNREACH || error == EHOSTUNREACH;
}

void refuse(std::span<Datagram> datagrams, Drop reason, DropCounters& drops) noexcept {
  drops.count(reason, datagrams.size());
  for (Datagram& datagram : datagrams) datagram.packet = {};
}

/// How many are done with, sent or refused; fewer than all when the socket is full.  sendmmsg stops before a datagram
/// that fails and reports its error only when it is the first of the next call.
size_t send(int fd, Messages& messages, std::span<Datagram> datagrams, DropCounters& drops) noexcept {
  size_t done = 0;
  while (done < datagrams.size()) {
    const int sent = ::sendmmsg(fd, &messages.headers[done], static_cast<unsigned>(datagrams.size() - done), 0);
    if (sent > 0) {
      done += static_cast<size_t>(sent);
      continue;
    }
    if (errno == EAGAIN) break;
    msghdr& failed = messages.headers[done].msg_hdr;
    const size_t without_local = datagrams[done].tos == 0 ? 0 : kTosControl;
    if (may_be_stale_local(errno) && failed.msg_controllen > without_local) {
      failed.msg_controllen = without_local;
      continue;
    }
    refuse(datagrams.subspan(done, 1), Drop::kSocketError, drops);
    ++done;
  }
  return done;
}

}  // namespace

UdpSocket UdpSocket::bind(const Endpoint& local) {
  const std::string what = "bind udp " + local.to_string();
  const int family = local.ip.is_v4() ? AF_INET : AF_INET6;
  Fd fd(check_call(what, ::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)));
  set_options(fd.get(), local.ip.is_v4(), what);

  sockaddr_storage address{};
  socklen_t size = to_sockaddr(local, address);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) < 0) {
    const int error = errno;
    throw AdvisedError(error, what, bind_advice(error, local));
  }
  check_call(what, ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size));
  return {std::move(fd), from_sockaddr(address)};
}

void UdpSocket::set_mark(uint32_t mark) {
  uint32_t current = 0;
  socklen_t size = sizeof current;
  const std::string what = "mark udp " + local_.to_string();
  check_call(what, ::getsockopt(fd(), SOL_SOCKET, SO_MARK, &current, &size));
  if (current == mark) return;  // setting it needs CAP_NET_ADMIN even when nothing changes
  check_call(what, ::setsockopt(fd(), SOL_SOCKET, SO_MARK, &mark, sizeof mark));
}

void UdpSocket::read(PacketPool& pool, size_t limit, Datagrams& out, DropCounters& drops) noexcept {
  while (limit > 0) {
    const size_t wanted = std::min(limit, kMessages);
    const size_t room = std::min(wanted, pool.available());
    const size_t received = room > 0 ? receive_into(fd(), pool, room, out, drops) : discard(fd(), wanted, drops);
    if (received < (room > 0 ? room : wanted)) return;
    limit -= received;
  }
}

void UdpSocket::write(std::span<Datagram> datagrams, DropCounters& drops) noexcept {
  Messages messages;
  while (!datagrams.empty()) {
    const std::span<Datagram> some = datagrams.first(std::min(datagrams.size(), kMessages));
    for (size_t i = 0; i < some.size(); ++i) {
      const socklen_t remote_size = to_sockaddr(some[i].remote, messages.remotes[i]);
      messages.prepare(i, some[i].packet.bytes(), remote_size, put_controls(messages.controls[i], some[i]));
    }
    const size_t done = send(fd(), messages, some, drops);
    if (done < some.size()) return refuse(datagrams.subspan(done), Drop::kSocketFull, drops);
    datagrams = datagrams.subspan(done);
  }
}

}  // namespace adit
