// From the socket: trains of datagrams, cut into packets.

#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// What recvmmsg works on; lives on the stack.
struct Messages {
  /// Room for traffic class, packet info of the larger kind, and the size of a train's datagrams.
  struct Control {
    alignas(cmsghdr) std::array<uint8_t, 2 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo))> bytes;
  };

  /// Room for as many, of kParts.
  Messages(Staging& staging, size_t count) noexcept {
    for (size_t i = 0; i < count; ++i) {
      const Bytes part = staging.part(i);
      payloads[i] = {part.data(), part.size()};
      msghdr& header = headers[i].msg_hdr;
      header = {};
      header.msg_name = &remotes[i];
      header.msg_namelen = sizeof remotes[i];
      header.msg_iov = &payloads[i];
      header.msg_iovlen = 1;
      header.msg_control = controls[i].bytes.data();
      header.msg_controllen = controls[i].bytes.size();
    }
  }

  std::array<mmsghdr, Staging::kParts> headers;
  std::array<iovec, Staging::kParts> payloads;
  std::array<sockaddr_storage, Staging::kParts> remotes;
  std::array<Control, Staging::kParts> controls;
};

/// What a message says of the datagrams in it.
struct Train {
  Endpoint remote;
  Local local;
  uint8_t tos = 0;
  size_t datagram_size = 0;  // the last may be shorter; 0: there is only one
};

/// Messages received, 0 when there are none.  An error that waits in the socket (a peer's ICMP message) is reported
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

void take_v4_control(const cmsghdr* control, Train& train) noexcept {
  if (control->cmsg_type == IP_PKTINFO) {
    // spec_dst, not addr: for a broadcast it is the address to answer from.
    const auto info = content_of<in_pktinfo>(control);
    train.local = {from_in_addr(info.ipi_spec_dst), static_cast<uint32_t>(info.ipi_ifindex)};
  } else if (control->cmsg_type == IP_TOS) {
    train.tos = content_of<uint8_t>(control);  // a byte here, though an int on the way out and in IPv6
  }
}

void take_v6_control(const cmsghdr* control, Train& train) noexcept {
  if (control->cmsg_type == IPV6_PKTINFO) {
    const auto info = content_of<in6_pktinfo>(control);
    train.local = {from_in6_addr(info.ipi6_addr), info.ipi6_ifindex};
  } else if (control->cmsg_type == IPV6_TCLASS) {
    train.tos = static_cast<uint8_t>(content_of<int>(control));
  }
}

void take_controls(msghdr& header, Train& train) noexcept {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == IPPROTO_IP) take_v4_control(control, train);
    if (control->cmsg_level == IPPROTO_IPV6) take_v6_control(control, train);
    if (control->cmsg_level == IPPROTO_UDP && control->cmsg_type == UDP_GRO) {
      train.datagram_size = static_cast<size_t>(content_of<int>(control));
    }
  }
}

/// Copies each datagram of a train into a packet of its own.
void cut(ConstBytes bytes, const Train& train, PacketPool& pool, Datagrams& out, DropCounters& drops) noexcept {
  do {
    const ConstBytes datagram =
        bytes.first(train.datagram_size == 0 ? bytes.size() : std::min(bytes.size(), train.datagram_size));
    bytes = bytes.subspan(datagram.size());
    Packet packet = pool.take(datagram.size());
    if (!packet) {
      drops.count(pool.can_hold(datagram.size()) ? Drop::kNoBuffer : Drop::kTruncatedRead);
      continue;
    }
    copy_bytes(datagram, packet.push_back(datagram.size()).data());
    out.push_back({std::move(packet), train.remote, train.local, train.tos});
  } while (!bytes.empty());
}

}  // namespace

void UdpSocket::read(PacketPool& pool, size_t limit, Datagrams& out, DropCounters& drops) noexcept {
  // Two, as each may be a train of 64 datagrams; then as many as fill the limit if all are like the longest.
  constexpr size_t kAtFirst = 2;
  size_t longest = 1;
  size_t wanted = kAtFirst;
  for (size_t datagrams = 0; datagrams < limit;
       wanted = std::clamp((limit - std::min(datagrams, limit)) / longest, kAtFirst, Staging::kParts)) {
    Messages messages(pool.staging(), wanted);
    const size_t received = receive(fd(), messages, wanted);
    for (size_t i = 0; i < received; ++i) {
      const size_t before = out.size();
      const ConstBytes bytes = pool.staging().part(i).first(messages.headers[i].msg_len);
      Train train{from_sockaddr(messages.remotes[i]), {}};
      take_controls(messages.headers[i].msg_hdr, train);
      cut(bytes, train, pool, out, drops);
      longest = std::max(longest, out.size() - before);
      datagrams += std::max<size_t>(1, out.size() - before);
    }
    if (received < wanted) return;
  }
}

}  // namespace adit
