#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "net/segment.h"
#include "net/tun.h"

namespace adit {
namespace {

std::string advice_for(int error) {
  switch (error) {
    case EPERM:
      return "it needs root or CAP_NET_ADMIN; tun = false works without";
    case EACCES:
      return "it needs root, or CAP_NET_ADMIN and rights to /dev/net/tun; tun = false works without";
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

/// A new device, or one more queue of one of ours.
Fd attach(ifreq& request) {
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd || ::ioctl(fd.get(), TUNSETIFF, &request) < 0) fail(request.ifr_name, errno);
  return fd;
}

/// A queue that nothing is read from.  What is written by a queue that is, the kernel takes as a wish to read all of
/// that flow there, too: one peer's packets, which come by one socket, would bring all flows with it to one queue. This
/// one counts for nothing, and so flows stay where their hash puts them.
///
/// To be opened before the queue that it belongs to, which then gets the number that this one had: the kernel may
/// complain about packets from a queue whose number is not in use.
Fd attach_entrance(ifreq& request) {
  Fd fd = attach(request);
  ifreq detach{};
  detach.ifr_flags = IFF_DETACH_QUEUE;
  if (::ioctl(fd.get(), TUNSETQUEUE, &detach) < 0) fail(request.ifr_name, errno);
  return fd;
}

/// Of Linux 6.2, younger than many a system's headers.
constexpr unsigned kTunUso4 = 0x20;
constexpr unsigned kTunUso6 = 0x40;

/// Has super-packets come and go as far as they are wanted and the kernel has them.
void set_offloads(int fd, Offloads& offloads) noexcept {
  const unsigned tso = offloads.tso ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0u;
  const unsigned uso = offloads.uso ? TUN_F_CSUM | kTunUso4 | kTunUso6 : 0u;
  if (::ioctl(fd, TUNSETOFFLOAD, tso | uso) == 0) return;
  offloads.uso = false;
  if (::ioctl(fd, TUNSETOFFLOAD, tso) == 0) return;
  offloads.tso = false;
}

/// Whether a device that answered a read with this error will have packets again.  A deleted one says EBADFD.
bool is_passing(int error) noexcept {
  return error == EAGAIN || error == EINTR || error == EIO || error == ENOMEM || error == ENOBUFS;
}

bool write_run(int fd, bool has_header, const Coalescer& coalescer, const Coalescer::Run& run) noexcept {
  Coalescer::Pieces pieces;
  std::array<iovec, 1 + Coalescer::kMaxPieces> vector;
  size_t count = 0;
  VnetHeader header = run.header;
  if (has_header) vector[count++] = {&header, sizeof header};
  for (const ConstBytes piece : coalescer.pieces(run, pieces))
    vector[count++] = {const_cast<uint8_t*>(piece.data()), piece.size()};
  return ::writev(fd, vector.data(), static_cast<int>(count)) >= 0;
}

}  // namespace

Tun::Tun(Fd fd, Fd entrance, std::string name, bool has_header, Offloads offloads)
    : fd_(std::move(fd)),
      entrance_(std::move(entrance)),
      name_(std::move(name)),
      has_header_(has_header),
      offloads_(offloads) {
  if (has_header_)
    set_offloads(fd_.get(), offloads_);
  else
    offloads_.tso = offloads_.uso = false;
}

Tun::~Tun() = default;

/// Interfaces live as long as any process has one of their descriptors.
void Tun::give_away() noexcept {}

Tun Tun::create(const std::string& name, const Offloads& offloads) {
  return std::move(create_queues(name, 1, offloads).front());
}

std::vector<Tun> Tun::create_queues(const std::string& name, size_t queues, const Offloads& offloads) {
  ifreq request{};
  if (name.size() >= sizeof request.ifr_name) fail(name, ENAMETOOLONG);
  name.copy(request.ifr_name, name.size());
  const bool has_header = offloads.tso || offloads.uso;
  // EXCL: without it a tun that somebody left behind would be taken over, addresses and routes included.
  const int flags = IFF_TUN | IFF_NO_PI | (has_header ? IFF_VNET_HDR : 0) | (queues > 1 ? IFF_MULTI_QUEUE : 0);
  request.ifr_flags = static_cast<short>(flags | IFF_TUN_EXCL);
  Fd first = attach(request);
  std::vector<Tun> all;
  request.ifr_flags = static_cast<short>(flags);
  try {
    Fd entrance = queues > 1 ? attach_entrance(request) : Fd();
    all.push_back(Tun(std::move(first), std::move(entrance), request.ifr_name, has_header, offloads));
    while (all.size() < queues) {
      entrance = attach_entrance(request);
      all.push_back(Tun(attach(request), std::move(entrance), request.ifr_name, has_header, offloads));
    }
  } catch (const std::system_error&) {
    // One queue does all that several do.
    if (all.empty()) all.push_back(Tun(std::move(first), Fd(), request.ifr_name, has_header, offloads));
  }
  return all;
}

Tun Tun::adopt(Fd fd, const Offloads& offloads, Fd entrance) {
  const std::string what = "take over tun descriptor " + std::to_string(fd.get());
  ifreq request{};
  check_call(what, ::ioctl(fd.get(), TUNGETIFF, &request));
  // Whether it has IFF_NO_PI cannot be seen: the kernel says IFF_NOFILTER with the same bit.
  if ((request.ifr_flags & (IFF_TUN | IFF_TAP)) != IFF_TUN) {
    throw AdvisedError(EINVAL, what, "it must be opened with IFF_TUN and IFF_NO_PI");
  }
  const bool has_header = (request.ifr_flags & IFF_VNET_HDR) != 0;
  const int header_size = sizeof(VnetHeader);
  if (has_header) check_call(what, ::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_size));
  check_call(what, ::fcntl(fd.get(), F_SETFL, O_NONBLOCK));
  check_call(what, ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC));
  if (entrance) check_call(what, ::fcntl(entrance.get(), F_SETFD, FD_CLOEXEC));
  return {std::move(fd), std::move(entrance), request.ifr_name, has_header, offloads};
}

bool Tun::read(PacketPool& pool, size_t limit, PacketBatch& out, DropCounters& drops) noexcept {
  const Bytes buffer = pool.staging().part(0);
  const size_t header_size = has_header_ ? sizeof(VnetHeader) : 0;
  for (size_t done = 0; done < limit;) {
    if (pool.available() == 0) return true;
    const ssize_t size = ::read(fd(), buffer.data(), buffer.size());
    if (size < 0) return is_passing(errno);
    VnetHeader header{};
    std::memcpy(&header, buffer.data(), header_size);
    const size_t before = out.size();
    const Drop drop = segment(buffer.first(static_cast<size_t>(size)).subspan(header_size), header, pool, out);
    if (drop != Drop::kNone) drops.count(drop);
    done += std::max<size_t>(1, out.size() - before);
  }
  return true;
}

void Tun::write(PacketBatch& packets, Coalescer& coalescer, DropCounters& drops) noexcept {
  coalescer.form(packets, {offloads_.tso, offloads_.uso});
  for (const Coalescer::Run& run : coalescer.runs()) {
    if (write_run(entrance(), has_header_, coalescer, run)) continue;
    drops.count(errno == EAGAIN ? Drop::kTunFull : Drop::kTunError, run.packets);
  }
  packets.clear();
}

}  // namespace adit
