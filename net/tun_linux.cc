#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include "net/tun.h"

namespace adit {
namespace {

std::string advice_for(int error) {
  switch (error) {
    case EPERM:
    case EACCES:
      return "it needs root or CAP_NET_ADMIN; tun = false works without";
    case ENOENT:
      return "/dev/net/tun is missing: modprobe tun";
    case ENODEV:
    case ENXIO:
      return "the kernel has no tun driver: modprobe tun";
    case EBUSY:
      return "an interface of this name exists already";
    case ENAMETOOLONG:
      return "an interface name has at most 15 bytes";
    default:
      return "";
  }
}

[[noreturn]] void fail(const std::string& name, int error) {
  throw AdvisedError(error, "create tun " + name, advice_for(error));
}

/// Whether a device that answered a read with this error will have packets again.  A deleted one says EBADFD.
bool is_passing(int error) noexcept {
  return error == EAGAIN || error == EINTR || error == EIO || error == ENOMEM || error == ENOBUFS;
}

}  // namespace

Tun Tun::create(const std::string& name) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) fail(name, ENAMETOOLONG);
  name.copy(request.ifr_name, name.size());
  // EXCL: without it a tun that somebody left behind would be taken over, addresses and routes included.
  request.ifr_flags = static_cast<short>(IFF_TUN | IFF_NO_PI | IFF_TUN_EXCL);

  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd) fail(name, errno);
  if (::ioctl(fd.get(), TUNSETIFF, &request) < 0) fail(name, errno);
  return {std::move(fd), request.ifr_name};
}

Tun Tun::adopt(Fd fd) {
  const std::string what = "take over tun descriptor " + std::to_string(fd.get());
  ifreq request{};
  check_call(what, ::ioctl(fd.get(), TUNGETIFF, &request));
  // Whether it has IFF_NO_PI cannot be seen: the kernel says IFF_NOFILTER with the same bit.
  if ((request.ifr_flags & (IFF_TUN | IFF_TAP | IFF_VNET_HDR)) != IFF_TUN) {
    throw AdvisedError(EINVAL, what, "it must be opened with IFF_TUN and IFF_NO_PI, without IFF_VNET_HDR");
  }
  check_call(what, ::fcntl(fd.get(), F_SETFL, O_NONBLOCK));
  check_call(what, ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC));
  return {std::move(fd), request.ifr_name};
}

bool Tun::read(PacketPool& pool, size_t limit, PacketBatch& out, DropCounters& drops) noexcept {
  const size_t largest = pool.largest_packet();
  for (size_t i = 0; i < limit; ++i) {
    Packet packet = pool.take();
    if (!packet) return true;
    // The kernel cuts a packet that is too long without saying so; one byte more than fits gives it away.
    const Bytes buffer = packet.push_back(largest + 1);
    const ssize_t size = ::read(fd(), buffer.data(), buffer.size());
    if (size < 0) return is_passing(errno);
    if (static_cast<size_t>(size) > largest) {
      drops.count(Drop::kTruncatedRead);
      continue;
    }
    packet.trim_to(static_cast<size_t>(size));
    out.push_back(std::move(packet));
  }
  return true;
}

void Tun::write(PacketBatch& packets, DropCounters& drops) noexcept {
  for (const Packet& packet : packets) {
    if (::write(fd(), packet.data(), packet.size()) >= 0) continue;
    drops.count(errno == EAGAIN ? Drop::kTunFull : Drop::kTunError);
  }
  packets.clear();
}

}  // namespace adit
