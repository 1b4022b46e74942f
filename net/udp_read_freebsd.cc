// From the socket, several datagrams a call.

// In the order that they need each other.
// clang-format off
#include <sys/types.h>
#include <sys/socket.h>
#include <net/if_dl.h>
#include <netinet/in.h>
// clang-format on

#include <algorithm>
#include <array>

#include "net/sockaddr.h"
#include "net/udp.h"

namespace adit {
namespace {

/// What recvmmsg works on; lives on the stack.
struct Messages {
  /// Room for traffic class, address and interface: IPv4 names the latter two one by one.
  struct Control {
    alignas(cmsghdr) std::array<uint8_t, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in_addr)) +
                                             CMSG_SPACE(sizeof(sockaddr_dl))> bytes;
  };
  static_assert(sizeof(Control) >= CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(in6_pktinfo)));

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
      header.msg_controllen = static_cast<socklen_t>(controls[i].bytes.size());
    }
  }

  std::array<mmsghdr, Staging::kParts> headers;
  std::array<iovec, Staging::kParts> payloads;
  std::array<sockaddr_storage, Staging::kParts> remotes;
  std::array<Control, Staging::kParts> controls;
};

/// Messages received, 0 when there are none.  An error that waits in the socket is reported once in place of data, so
/// asking again is right; the bound is for errors that would stay.
size_t receive(int fd, Messages& messages, size_t count) noexcept {
  for (int attempt = 0; attempt < 3; ++attempt) {
    const ssize_t received = ::recvmmsg(fd, messages.headers.data(), count, 0, nullptr);
    if (received >= 0) return static_cast<size_t>(received);
    if (errno == EAGAIN) return 0;
  }
  return 0;
}

template <typename Content>
Content content_of(const cmsghdr* control) noexcept {
  Content content{};
  // Not CMSG_DATA, which casts const away; and the kernel shortens a sockaddr_dl to what is in it.
  std::memcpy(&content, reinterpret_cast<const uint8_t*>(control) + CMSG_LEN(0),
              std::min(sizeof content, control->cmsg_len - CMSG_LEN(0)));
  return content;
}

void take_v4_control(const cmsghdr* control, Datagram& datagram) noexcept {
  if (control->cmsg_type == IP_RECVDSTADDR) datagram.local.ip = from_in_addr(content_of<in_addr>(control));
  if (control->cmsg_type == IP_RECVIF) datagram.local.interface = content_of<sockaddr_dl>(control).sdl_index;
  if (control->cmsg_type == IP_RECVTOS) datagram.tos = content_of<uint8_t>(control);
}

void take_v6_control(const cmsghdr* control, Datagram& datagram) noexcept {
  if (control->cmsg_type == IPV6_PKTINFO) {
    const auto info = content_of<in6_pktinfo>(control);
    datagram.local = {from_in6_addr(info.ipi6_addr), info.ipi6_ifindex};
  }
  if (control->cmsg_type == IPV6_TCLASS) datagram.tos = static_cast<uint8_t>(content_of<int>(control));
}

void take_controls(msghdr& header, Datagram& datagram) noexcept {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control != nullptr; control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == IPPROTO_IP) take_v4_control(control, datagram);
    if (control->cmsg_level == IPPROTO_IPV6) take_v6_control(control, datagram);
  }
}

}  // namespace

void UdpSocket::read(PacketPool& pool, size_t limit, Datagrams& out, DropCounters& drops) noexcept {
  for (size_t datagrams = 0; datagrams < limit;) {
    const size_t wanted = std::min(Staging::kParts, limit - datagrams);
    Messages messages(pool.staging(), wanted);
    const size_t received = receive(fd(), messages, wanted);
    for (size_t i = 0; i < received; ++i) {
      const ConstBytes bytes = pool.staging().part(i).first(static_cast<size_t>(messages.headers[i].msg_len));
      Datagram datagram{pool.take(bytes.size()), from_sockaddr(messages.remotes[i]), {}};
      if (!datagram.packet) {
        drops.count(pool.can_hold(bytes.size()) ? Drop::kNoBuffer : Drop::kTruncatedRead);
        continue;
      }
      copy_bytes(bytes, datagram.packet.push_back(bytes.size()).data());
      take_controls(messages.headers[i].msg_hdr, datagram);
      out.push_back(std::move(datagram));
    }
    if (received < wanted) return;
    datagrams += received;
  }
}

}  // namespace adit
