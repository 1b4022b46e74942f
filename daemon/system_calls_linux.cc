// How it works.  The default is to refuse, and by ENOSYS: that is what an older kernel says, for which a C library
// knows another way, so that an update of one does not end gateways; by EPERM it would give up.  Calls of which only
// some uses are wanted are listed with their arguments.  The filter sees no memory, so it cannot know the names of
// files; what it sees of opening one is that it is only to be read.

#include "daemon/system_calls_linux.h"

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <system_error>

#include "net/fd.h"

namespace adit::daemon {
namespace {

// By what they are for.

/// A packet's way.  The filter asks for these first; newer kernels know without running it.
constexpr const char* kHot[] = {"recvmmsg",    "sendmmsg", "read",    "write",   "writev",   "epoll_wait",
                                "epoll_pwait", "futex",    "sendmsg", "recvmsg", "recvfrom", "sendto"};

constexpr const char* kFiles[] = {"close",     "fstat",      "newfstatat", "stat",     "lstat",
                                  "statx",     "lseek",      "pread64",    "readv",    "access",
                                  "faccessat", "faccessat2", "unlink",     "unlinkat", "ftruncate"};

constexpr const char* kMemory[] = {"munmap", "mremap", "brk", "madvise"};

constexpr const char* kThreads[] = {"exit",           "exit_group",     "set_robust_list",   "rseq",
                                    "gettid",         "getpid",         "sched_getaffinity", "sched_yield",
                                    "rt_sigprocmask", "rt_sigaction",   "rt_sigreturn",      "restart_syscall",
                                    "nanosleep",      "clock_nanosleep"};

constexpr const char* kTime[] = {"clock_gettime", "clock_getres", "gettimeofday", "time"};

constexpr const char* kEvents[] = {"epoll_create1",
                                   "epoll_ctl",
                                   "epoll_pwait2",
                                   "poll",
                                   "ppoll",
                                   "eventfd2",
                                   "pipe2",
                                   "timerfd_create",
                                   "timerfd_settime",
                                   "inotify_init1",
                                   "inotify_add_watch",
                                   "inotify_rm_watch"};

constexpr const char* kSockets[] = {"bind",        "connect",     "listen",     "accept",  "accept4",
                                    "getsockname", "getpeername", "getsockopt", "shutdown"};

constexpr const char* kOfOurselves[] = {"getuid",  "geteuid",   "getgid",    "getegid",  "uname",
                                        "sysinfo", "getrandom", "getrlimit", "setrlimit"};

/// A gateway has no reason to, and what tries is none any more.
constexpr const char* kDeadly[] = {"execve",
                                   "execveat",
                                   "fork",
                                   "vfork",
                                   "ptrace",
                                   "process_vm_readv",
                                   "process_vm_writev",
                                   "bpf",
                                   "userfaultfd",
                                   "mount",
                                   "umount2",
                                   "move_mount",
                                   "fsopen",
                                   "open_tree",
                                   "pivot_root",
                                   "chroot",
                                   "kexec_load",
                                   "kexec_file_load",
                                   "init_module",
                                   "finit_module",
                                   "delete_module",
                                   "keyctl",
                                   "add_key",
                                   "request_key",
                                   "perf_event_open",
                                   "reboot",
                                   "swapon"};

struct Option {
  int level;
  int name;
};

/// Among those that are missing are the packet filter's, which are set by sockets as well (IPT_SO_SET_REPLACE).
constexpr Option kOptions[] = {
    {SOL_SOCKET, SO_REUSEADDR},      {SOL_SOCKET, SO_REUSEPORT},
    {SOL_SOCKET, SO_KEEPALIVE},      {SOL_SOCKET, SO_LINGER},
    {SOL_SOCKET, SO_RCVBUF},         {SOL_SOCKET, SO_SNDBUF},
    {SOL_SOCKET, SO_RCVBUFFORCE},    {SOL_SOCKET, SO_SNDBUFFORCE},
    {SOL_SOCKET, SO_RCVTIMEO},       {SOL_SOCKET, SO_SNDTIMEO},
    {SOL_SOCKET, SO_MARK},           {SOL_SOCKET, SO_BINDTODEVICE},
    {IPPROTO_IP, IP_PKTINFO},        {IPPROTO_IP, IP_RECVTOS},
    {IPPROTO_IP, IP_MTU_DISCOVER},   {IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT},
    {IPPROTO_IP, IP_RECVERR},  // here and below: the resolver of the C library
    {IPPROTO_IPV6, IPV6_V6ONLY},     {IPPROTO_IPV6, IPV6_RECVPKTINFO},
    {IPPROTO_IPV6, IPV6_RECVTCLASS}, {IPPROTO_IPV6, IPV6_MTU_DISCOVER},
    {IPPROTO_IPV6, IPV6_RECVERR},    {IPPROTO_TCP, TCP_NODELAY},
    {IPPROTO_TCP, TCP_KEEPIDLE},     {IPPROTO_TCP, TCP_KEEPINTVL},
    {IPPROTO_TCP, TCP_KEEPCNT},      {IPPROTO_UDP, UDP_GRO},
    {IPPROTO_UDP, UDP_SEGMENT},
};

/// What is asked of the tun and of interfaces, and what libuv and the resolver ask of sockets.
constexpr unsigned long kRequests[] = {TUNGETIFF,    TUNGETDEVNETNS, SIOCGIFFLAGS, SIOCGIFMTU,
                                       SIOCGIFINDEX, SIOCGIFNAME,    FIONBIO,      FIONREAD};

constexpr int kDescriptorCommands[] = {F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL};

/// Of a new thread: neither a process of its own nor other namespaces.
constexpr uint64_t kThreadMask = CLONE_THREAD | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS | CLONE_NEWCGROUP |
                                 CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

/// Whatever would change a file, or make one.
constexpr uint64_t kNotOnlyRead = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);

constexpr uint64_t kSocketType = 0xf;  // SOCK_TYPE_MASK: without SOCK_NONBLOCK and SOCK_CLOEXEC

constexpr uint8_t kFirst = 255;

class Filter {
 public:
  explicit Filter(uint32_t otherwise) : otherwise_(otherwise), context_(seccomp_init(otherwise), &seccomp_release) {
    if (!context_) throw std::system_error(ENOMEM, std::generic_category(), kWhat);
  }

  /// All uses of a call, or those whose arguments are as said.  A call that this machine has not, or libseccomp does
  /// not know yet, is passed over.
  template <typename... Arguments>
  void allow(const char* name, Arguments... arguments) {
    add(SCMP_ACT_ALLOW, name, arguments...);
  }
  template <typename... Arguments>
  void add(uint32_t action, const char* name, Arguments... arguments) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call == __NR_SCMP_ERROR || action == otherwise_) return;
    check(seccomp_rule_add(context_.get(), action, call, sizeof...(arguments), arguments...));
  }
  void put_first(const char* name, uint8_t priority) {
    const int call = seccomp_syscall_resolve_name(name);
    if (call != __NR_SCMP_ERROR) check(seccomp_syscall_priority(context_.get(), call, priority));
  }
  /// For all threads.  libseccomp has the kernel give no new privileges before.
  void load() {
    check(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    check(seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1));
    check(seccomp_load(context_.get()));
  }

 private:
  static constexpr const char* kWhat = "filter system calls";

  static void check(int result) {
    if (result >= 0) return;
    throw AdvisedError(-result, kWhat, "ADIT_SANDBOX=off runs without, if the kernel has no filter (seccomp)");
  }

  uint32_t otherwise_;
  std::unique_ptr<void, void (*)(void*)> context_;
};

// An argument that is an int has nothing that is defined in the upper half of its register.
constexpr uint64_t kInt = 0xffffffff;
template <typename Value>
scmp_arg_cmp is(unsigned argument, Value value) {
  return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, kInt, static_cast<uint64_t>(value) & kInt);
}
scmp_arg_cmp has(unsigned argument, uint64_t mask, uint64_t value) {
  return SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value);
}

void allow_sockets(Filter& filter) {
  for (const char* call : kSockets) filter.allow(call);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int protocol : {0, int{IPPROTO_UDP}})
      filter.allow("socket", is(0, family), has(1, kSocketType, SOCK_DGRAM), is(2, protocol));
    for (const int protocol : {0, int{IPPROTO_TCP}})
      filter.allow("socket", is(0, family), has(1, kSocketType, SOCK_STREAM), is(2, protocol));
  }
  filter.allow("socket", is(0, AF_UNIX), is(2, 0));
  filter.allow("socket", is(0, AF_NETLINK), is(2, NETLINK_ROUTE));
  for (const Option& option : kOptions) filter.allow("setsockopt", is(1, option.level), is(2, option.name));
}

void allow_files(Filter& filter) {
  for (const char* call : kFiles) filter.allow(call);
  filter.allow("open", has(1, kNotOnlyRead, O_RDONLY));
  filter.allow("openat", has(2, kNotOnlyRead, O_RDONLY));
  for (const unsigned long request : kRequests) filter.allow("ioctl", is(1, request));
  for (const int command : kDescriptorCommands) filter.allow("fcntl", is(1, command));
}

/// No memory becomes code.
void allow_memory(Filter& filter) {
  for (const char* call : kMemory) filter.allow(call);
  filter.allow("mmap", has(2, PROT_EXEC, 0));
  filter.allow("mprotect", has(2, PROT_EXEC, 0));
}

void allow_threads(Filter& filter) {
  for (const char* call : kThreads) filter.allow(call);
  filter.allow("clone", has(0, kThreadMask, CLONE_THREAD));
  filter.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");  // its flags cannot be seen, and clone() does the same
  filter.allow("tgkill", is(0, ::getpid()));     // abort()
  filter.allow("prlimit64", is(0, 0));
  filter.allow("prctl", is(0, PR_SET_NAME));  // libuv's threads have names from 1.50 on
}

void allow_rest(Filter& filter) {
  for (const char* call : kTime) filter.allow(call);
  for (const char* call : kEvents) filter.allow(call);
  for (const char* call : kOfOurselves) filter.allow(call);
}

}  // namespace

void filter_system_calls(bool is_strict, std::span<const char* const> more) {
  Filter filter(is_strict ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS));
  uint8_t priority = kFirst;
  for (const char* call : kHot) {
    filter.allow(call);
    filter.put_first(call, priority--);
  }
  allow_sockets(filter);
  allow_files(filter);
  allow_memory(filter);
  allow_threads(filter);
  allow_rest(filter);
  for (const char* call : more) filter.allow(call);
  for (const char* call : kDeadly) {
    const auto is_it = [call](const char* other) { return std::string_view(call) == other; };
    if (std::ranges::none_of(more, is_it)) filter.add(SCMP_ACT_KILL_PROCESS, call);
  }
  filter.load();
}

}  // namespace adit::daemon
