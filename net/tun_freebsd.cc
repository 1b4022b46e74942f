#include <fcntl.h>
#include <net/if.h>
#include <net/if_tun.h>
#include <netinet/in.h>
#include <sys/filio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/sysctl.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>

#include "net/rights_freebsd.h"
#include "net/segment.h"
#include "net/tun.h"
#include "net/tun_steps.h"
#include "net/tun_transient_freebsd.h"

namespace adit {
namespace {

/// In front of each packet, both ways, in network order.
using Family = uint32_t;

ifreq request_for(const std::string& interface) noexcept {
  ifreq request{};
  interface.copy(request.ifr_name, sizeof request.ifr_name - 1);
  return request;
}

int error_of(int result) noexcept { return result < 0 ? errno : 0; }

Fd any_socket() noexcept { return Fd(::socket(AF_LOCAL, SOCK_DGRAM | SOCK_CLOEXEC, 0)); }

void destroy(const std::string& interface) noexcept {
  ifreq request = request_for(interface);
  ::ioctl(any_socket().get(), SIOCIFDESTROY, &request);
}

bool read_flag(const char* name) noexcept {
  int value = 0;
  size_t size = sizeof value;
  return ::sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

class Kernel : public TunSystem {
 public:
  int create_interface(std::string& name) override {
    ifreq request = request_for("tun");
    const int error = error_of(::ioctl(socket_.get(), SIOCIFCREATE2, &request));
    name = request.ifr_name;
    return error;
  }
  int open_device(const std::string& name) override {
    device_ = Fd(::open(("/dev/" + name).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    return error_of(device_.get());
  }
  void close_device() noexcept override { device_ = Fd(); }
  int set(Set what) override {
    int value = 1;
    switch (what) {
      case Set::kTransient:
        return error_of(::ioctl(device_.get(), kSetTransient, &value));
      case Set::kHeader:
        return error_of(::ioctl(device_.get(), TUNSIFHEAD, &value));
      case Set::kBroadcast:
        value = IFF_BROADCAST | IFF_MULTICAST;
        return error_of(::ioctl(device_.get(), TUNSIFMODE, &value));
    }
    return EINVAL;
  }
  int rename_interface(const std::string& from, const std::string& to) override {
    ifreq request = request_for(from);
    std::string name = to;
    request.ifr_data = name.data();
    return error_of(::ioctl(socket_.get(), SIOCSIFNAME, &request));
  }
  void destroy_interface(const std::string& name) noexcept override { destroy(name); }
  bool is_in_jail_without_network() override {
    return read_flag("security.jail.jailed") && !read_flag("security.jail.vnet");
  }

  [[nodiscard]] Fd take_device() noexcept { return std::move(device_); }

 private:
  Fd socket_ = any_socket();
  Fd device_;
};

/// Whether a device that answered a read with this error will have packets again.
bool is_passing(int error) noexcept {
  return error == EAGAIN || error == EINTR || error == EHOSTDOWN || error == ENOMEM || error == ENOBUFS;
}

/// To what a device does from then on, and to being taken over by another process.
Fd limited(Fd device) {
  static constexpr std::array<unsigned long, 8> kIoctls = {kGetTransient, kSetTransient, TUNGIFNAME, TUNGIFINFO,
                                                           TUNSIFHEAD,    TUNSIFMODE,    TUNSIFPID,  FIONBIO};
  cap_rights_t rights;
  ::cap_rights_init(&rights, CAP_READ, CAP_WRITE, CAP_EVENT, CAP_FCNTL, CAP_IOCTL);
  limit_rights(device.get(), rights, kIoctls);
  return device;
}

Family family_of(ConstBytes packet) noexcept {
  const int version = packet.empty() ? 0 : packet[0] >> 4;
  return htonl(version == 4 ? AF_INET : version == 6 ? AF_INET6 : AF_UNSPEC);
}

}  // namespace

/// This system has no offloads.
Tun::Tun(Fd fd, Fd entrance, std::string name, bool has_header, Offloads)
    : fd_(std::move(fd)),
      entrance_(std::move(entrance)),
      name_(std::move(name)),
      has_header_(has_header),
      offloads_{.tso = false, .uso = false, .segment = false, .gro = false} {}

Tun::~Tun() {
  if (!fd_) return;
  int transient = 0;
  ifreq request{};
  const bool stays = ::ioctl(fd(), kGetTransient, &transient) < 0 || transient == 0;
  const bool has_name = ::ioctl(fd(), TUNGIFNAME, &request) == 0;
  fd_ = Fd();  // first: as long as it is open destroying waits
  if (stays && has_name) destroy(request.ifr_name);
}

void Tun::give_away() noexcept { fd_ = Fd(); }

Tun Tun::create(const std::string& name, const Offloads& offloads) {
  Kernel kernel;
  make_tun(kernel, name);
  return {limited(kernel.take_device()), Fd(), name, true, offloads};
}

/// A tun has one queue here.
std::vector<Tun> Tun::create_queues(const std::string& name, size_t, const Offloads& offloads) {
  std::vector<Tun> all;
  all.push_back(create(name, offloads));
  return all;
}

Tun Tun::adopt(Fd fd, const Offloads& offloads, Fd entrance) {
  const std::string what = "take over tun descriptor " + std::to_string(fd.get());
  ifreq request{};
  int on = 1;
  check_call(what, ::ioctl(fd.get(), TUNGIFNAME, &request));
  check_call(what, ::ioctl(fd.get(), TUNSIFHEAD, &on));
  check_call(what, ::ioctl(fd.get(), TUNSIFPID));  // who closes it last should be who is known to have it
  check_call(what, ::fcntl(fd.get(), F_SETFL, O_NONBLOCK));
  check_call(what, ::fcntl(fd.get(), F_SETFD, FD_CLOEXEC));
  return {limited(std::move(fd)), std::move(entrance), request.ifr_name, true, offloads};
}

bool Tun::read(PacketPool& pool, size_t limit, PacketBatch& out, DropCounters& drops) noexcept {
  const Bytes buffer = pool.staging().part(0);
  for (size_t done = 0; done < limit; ++done) {
    if (pool.available() == 0) return true;
    const ssize_t size = ::read(fd(), buffer.data(), buffer.size());
    if (size < 0) return is_passing(errno);
    const ConstBytes packet = buffer.first(static_cast<size_t>(size));
    const Drop drop = segment(packet.subspan(std::min(packet.size(), sizeof(Family))), {}, pool, out);
    if (drop != Drop::kNone) drops.count(drop);
  }
  return true;
}

void Tun::write(PacketBatch& packets, Coalescer&, DropCounters& drops) noexcept {
  for (Packet& packet : packets) {
    Family family = family_of(std::as_const(packet).bytes());
    std::array<iovec, 2> vector = {{{&family, sizeof family}, {packet.data(), packet.size()}}};
    if (::writev(entrance(), vector.data(), static_cast<int>(vector.size())) >= 0) continue;
    drops.count(errno == EAGAIN || errno == ENOBUFS ? Drop::kTunFull : Drop::kTunError);
  }
  packets.clear();
}

}  // namespace adit
