// To the socket: datagrams that look alike leave as one train, which the kernel or the card cuts.

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// Trains, and pieces of all of them, per system call; small enough for the stack.
constexpr size_t kTrains = 16;
constexpr size_t kPieces = 256;
/// The kernel's limits for one train (UDP_MAX_SEGMENTS of older kernels; an IPv4 packet).
constexpr size_t kLongestTrain = 64;
constexpr size_t kLargestTrain = 65535 - 20 - 8;
/// Of the datagrams of a train: the kernel cuts none into fragments, and no link carries more than a jumbo frame.
constexpr size_t kLargestInTrain = 9000;

/// Room for three control messages: traffic class, packet info of the larger kind, datagram size.
constexpr size_t kTosControl = CMSG_SPACE(sizeof(int));
struct Control {
  alignas(
      cmsghdr) std::array<uint8_t, kTosControl + CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))> bytes;
};

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

/// How many datagrams at the front can leave as one train: to one place, of one size, only the last may be smaller.
size_t train_length(std::span<const Datagram> datagrams, size_t longest) noexcept {
  const Datagram& first = datagrams.front();
  const size_t size = first.packet.size();
  if (size > kLargestInTrain) return 1;
  size_t total = size;
  size_t length = 1;
  for (; length < std::min(datagrams.size(), longest); ++length) {
    const Datagram& next = datagrams[length];
    total += next.packet.size();
    const bool alike = next.remote == first.remote && next.local == first.local && next.tos == first.tos;
    if (!alike || next.packet.size() > size || next.packet.size() == 0 || total > kLargestTrain) break;
    if (next.packet.size() < size) return length + 1;
  }
  return length;
}

/// What sendmmsg works on.  Lives on the stack, filled in only as far as it is used.
struct Messages {
  std::array<mmsghdr, kTrains> headers;
  std::array<size_t, kTrains> lengths;  // in datagrams
  std::array<sockaddr_storage, kTrains> remotes;
  std::array<Control, kTrains> controls;
  std::array<iovec, kPieces> pieces;
  size_t trains = 0;

  /// As many trains, of up to `longest` datagrams, as there is room for.
  void fill(std::span<Datagram> datagrams, size_t longest) noexcept {
    size_t used = 0;
    for (trains = 0; trains < kTrains && !datagrams.empty() && used < kPieces; ++trains) {
      const size_t length = train_length(datagrams, std::min(longest, kPieces - used));
      add(datagrams.first(length), &pieces[used]);
      used += length;
      datagrams = datagrams.subspan(length);
    }
  }

 private:
  void add(std::span<Datagram> train, iovec* place) noexcept {
    for (size_t i = 0; i < train.size(); ++i) place[i] = {train[i].packet.data(), train[i].packet.size()};
    Control& control = controls[trains];
    size_t at = put_local(control, put_tos(control, 0, train.front()), train.front());
    if (train.size() > 1) {
      at = put_control(control, at, IPPROTO_UDP, UDP_SEGMENT, static_cast<uint16_t>(train.front().packet.size()));
    }
    headers[trains] = {};
    msghdr& header = headers[trains].msg_hdr;
    header.msg_name = &remotes[trains];
    header.msg_namelen = to_sockaddr(train.front().remote, remotes[trains]);
    header.msg_iov = place;
    header.msg_iovlen = train.size();
    header.msg_control = control.bytes.data();
    header.msg_controllen = at;
    lengths[trains] = train.size();
  }
};

/// What the kernel says when the local address is gone, its interface is, or no route leads from there any more.
bool may_be_stale_local(int error) noexcept {
  return error == EINVAL || error == EADDRNOTAVAIL || error == ENODEV || error == ENETUNREACH || error == EHOSTUNREACH;
}

void refuse(std::span<Datagram> datagrams, Drop reason, DropCounters& drops) noexcept {
  drops.count(reason, datagrams.size());
  for (Datagram& datagram : datagrams) datagram.packet = {};
}

}  // namespace

/// sendmmsg stops before a train that fails and reports its error only when it is the first of the next call.
void UdpSocket::write(std::span<Datagram> datagrams, DropCounters& drops) noexcept {
  Messages messages;
  size_t longest = sends_trains() ? kLongestTrain : 1;
  while (!datagrams.empty()) {
    messages.fill(datagrams, longest);
    const int sent = ::sendmmsg(fd(), messages.headers.data(), static_cast<unsigned>(messages.trains), 0);
    for (int i = 0; i < sent; ++i) datagrams = datagrams.subspan(messages.lengths[static_cast<size_t>(i)]);
    if (sent > 0) continue;
    if (errno == EAGAIN) return refuse(datagrams, Drop::kSocketFull, drops);
    if (messages.lengths.front() > 1) {
      // A card that cannot, a path with a smaller MTU: one by one from here on, and for good where it is the card.
      if (errno == EIO) sends_trains_->store(false, std::memory_order_relaxed);
      longest = 1;
      continue;
    }
    if (may_be_stale_local(errno) && !datagrams.front().local.ip.is_unspecified()) {
      datagrams.front().local = {};  // the kernel shall choose
      continue;
    }
    refuse(datagrams.first(1), Drop::kSocketError, drops);
    datagrams = datagrams.subspan(1);
  }
}

}  // namespace adit
