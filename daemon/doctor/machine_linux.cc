#include <cap-ng.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/timex.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "daemon/doctor/machine.h"
#include "net/fd.h"

namespace adit::doctor {
namespace {

namespace fs = std::filesystem;

/// Fills the state of libcap-ng anew, as all do before they use it: neither this nor the sandbox sees the other's.
bool has_capability(unsigned capability) {
  return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, capability) != 0;
}

/// The socket inodes that have a port bound, of one of /proc/net's tables ("sl local_address ... inode").
void add_inodes(const char* table, uint16_t port, std::set<std::string>& inodes) {
  constexpr size_t kInode = 9;
  std::ifstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) fields.push_back(word);
    if (fields.size() <= kInode) continue;
    const std::string& local = fields[1];
    unsigned bound = 0;
    std::from_chars(local.data() + local.rfind(':') + 1, local.data() + local.size(), bound, 16);
    if (bound == port) inodes.insert("socket:[" + fields[kInode] + "]");
  }
}

bool has_socket(const fs::path& process, const std::set<std::string>& sockets) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(process / "fd", none)) {
    if (sockets.contains(fs::read_symlink(entry.path(), none).string())) return true;
  }
  return false;
}

}  // namespace

void look_at_rights(Machine& machine) {
  machine.may_administer = has_capability(CAP_NET_ADMIN);
  const Fd tun(::open("/dev/net/tun", O_RDWR | O_CLOEXEC));
  machine.tun_error = tun ? 0 : errno;
}

std::optional<bool> clock_is_synchronized() {
  timex request{};
  const int state = ::adjtimex(&request);
  if (state < 0) return {};
  return state != TIME_ERROR && (request.status & STA_UNSYNC) == 0;
}

std::string holder_of(uint16_t port, bool tcp) {
  std::set<std::string> sockets;
  for (const char* table : {tcp ? "/proc/net/tcp" : "/proc/net/udp", tcp ? "/proc/net/tcp6" : "/proc/net/udp6"}) {
    add_inodes(table, port, sockets);
  }
  if (sockets.empty()) return "";
  std::error_code none;
  for (const fs::directory_entry& process : fs::directory_iterator("/proc", none)) {
    const std::string pid = process.path().filename();
    if (pid.find_first_not_of("0123456789") != pid.npos || !has_socket(process.path(), sockets)) continue;
    std::string name;
    std::getline(std::ifstream(process.path() / "comm"), name);
    return name.append(" (pid ").append(pid).append(")");
  }
  return "";
}

void forbid_fragments(int fd, bool v4) {
  const int probe = v4 ? IP_PMTUDISC_PROBE : IPV6_PMTUDISC_PROBE;
  ::setsockopt(fd, v4 ? int{IPPROTO_IP} : int{IPPROTO_IPV6}, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &probe,
               sizeof probe);
}

Advice advice_of_system() {
  return {.open_port = "ufw allow PORT/PROTOCOL (or: nft add rule inet filter input PROTOCOL dport PORT accept)",
          .who_has = "ss -lnp | grep :PORT; without a program in it, it is the kernel's own WireGuard: wg show",
          .load_tun = "modprobe tun",
          .start = "adit run -c FILE; as a service: systemctl status adit, and journalctl -u adit says why it ended",
          .clock_sync = "set it right: timedatectl set-ntp true"};
}

}  // namespace adit::doctor
