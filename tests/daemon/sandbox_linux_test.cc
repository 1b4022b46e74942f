// What a process may no longer do once it is in the sandbox: each case is a process of its own, which tries.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/if_tun.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <thread>

#include "daemon/name_services_linux.h"
#include "daemon/sandbox.h"
#include "daemon/system_calls_linux.h"
#include "net/fd.h"

namespace adit::daemon {
namespace {

using Act = std::function<long()>;

/// What becomes of a process that does these: the status it ends with, or minus the signal that ends it.
int end_of(const std::function<int()>& process) {
  const pid_t pid = ::fork();
  // Not _exit(): AddressSanitizer would do something before.
  if (pid == 0) ::syscall(SYS_exit_group, process());
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/// The list is that of the build which is installed.  0, the errno of what `act` returned -1 for, or minus a signal.
int tried(const Act& act, bool is_strict = false) {
  return end_of([&] {
    filter_system_calls(is_strict, {});
    return act() == -1 ? errno : 0;
  });
}

using Acts = std::map<std::string, Act>;

/// Which of them are answered otherwise than by "no such call", by one process that tries them all.
std::vector<std::string> not_refused(const Acts& acts) {
  int ends[2];
  check_call("pipe", ::pipe(ends));
  const Fd out(ends[0]);
  Fd in(ends[1]);
  const int end = end_of([&] {
    filter_system_calls(false, {});
    for (const auto& [name, act] : acts) {
      if (act() == -1 && errno == ENOSYS) continue;
      if (::write(in.get(), (name + "\n").c_str(), name.size() + 1) < 0) return 1;
    }
    return 0;
  });
  in = Fd();
  std::vector<std::string> names;
  if (end != 0) names.push_back("ended with " + std::to_string(end));
  std::string text(10000, '\0');
  text.resize(static_cast<size_t>(check_call("read", ::read(out.get(), text.data(), text.size()))));
  std::istringstream lines(text);
  for (std::string name; std::getline(lines, name);) names.push_back(name);
  return names;
}

template <typename... Arguments>
Act call(long number, Arguments... arguments) {
  return [=] { return ::syscall(number, arguments...); };
}

TEST(Sandbox, EndsAProcessThatStartsProgramsTracesOthersOrChangesTheKernel) {
  const Acts deadly = {
      {"execve", call(SYS_execve, "/bin/true", nullptr, nullptr)},
      {"execveat", call(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0)},
      {"ptrace", call(SYS_ptrace, 0, 0, 0, 0)},
      {"process_vm_writev", call(SYS_process_vm_writev, 1, nullptr, 0, nullptr, 0, 0)},
      {"bpf", call(SYS_bpf, 0, nullptr, 0)},
      {"mount", call(SYS_mount, "none", "/mnt", "tmpfs", 0, nullptr)},
      {"pivot_root", call(SYS_pivot_root, "/", "/")},
      {"init_module", call(SYS_init_module, nullptr, 0, "")},
      {"kexec_load", call(SYS_kexec_load, 0, 0, nullptr, 0)},
      {"keyctl", call(SYS_keyctl, 0, 0, 0, 0, 0)},
  };
  for (const auto& [name, act] : deadly) EXPECT_EQ(tried(act), -SIGSYS) << name;
}

TEST(Sandbox, RefusesProcessesPrivilegesAndOthersBusiness) {
  const pid_t parent = ::getpid();
  const Acts refused = {
      {"a new process", call(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, 0)},
      {"a thread in a namespace of its own",
       call(SYS_clone, CLONE_THREAD | CLONE_NEWUSER, nullptr, nullptr, nullptr, 0)},
      {"clone3", call(SYS_clone3, nullptr, 0)},
      {"unshare", call(SYS_unshare, CLONE_NEWUSER)},
      {"setns", call(SYS_setns, 0, 0)},
      {"setuid", call(SYS_setuid, 0)},
      {"capset", call(SYS_capset, nullptr, nullptr)},
      {"prctl", call(SYS_prctl, PR_SET_DUMPABLE, 1)},
      {"kill", call(SYS_kill, parent, 0)},
      {"another's thread", call(SYS_tgkill, parent, parent, 0)},
      {"another's limits", call(SYS_prlimit64, parent, RLIMIT_NOFILE, nullptr, nullptr)},
      {"io_uring", call(SYS_io_uring_setup, 1, nullptr)},
      {"seccomp", call(SYS_seccomp, 0, 0, nullptr)},
      {"a call that no kernel has", call(100000)},
  };
  EXPECT_EQ(not_refused(refused), std::vector<std::string>());
}

TEST(Sandbox, RefusesWhateverChangesFiles) {
  const Acts refused = {
      {"to write", call(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY)},
      {"to read and write", call(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR)},
      {"to append", call(SYS_openat, AT_FDCWD, "/dev/null", O_APPEND)},
      {"a new file", call(SYS_openat, AT_FDCWD, "/tmp/adit-sandbox", O_RDONLY | O_CREAT, 0600)},
      {"a file without a name", call(SYS_openat, AT_FDCWD, "/tmp", O_RDWR | O_TMPFILE, 0600)},
      {"an emptied file", call(SYS_openat, AT_FDCWD, "/dev/null", O_TRUNC)},
      {"a way around", call(SYS_openat2, AT_FDCWD, "/dev/null", nullptr, 0)},
      {"a file in memory", call(SYS_memfd_create, "x", 0)},
      {"another name", call(SYS_renameat, AT_FDCWD, "/tmp/x", AT_FDCWD, "/tmp/y")},
      {"one more name", call(SYS_linkat, AT_FDCWD, "/tmp/x", AT_FDCWD, "/tmp/y", 0)},
      {"a symbolic link", call(SYS_symlinkat, "/tmp/x", AT_FDCWD, "/tmp/y")},
      {"a folder", call(SYS_mkdirat, AT_FDCWD, "/tmp/x", 0700)},
      {"a mode", call(SYS_fchmodat, AT_FDCWD, "/tmp/x", 0777)},
      {"an owner", call(SYS_fchownat, AT_FDCWD, "/tmp/x", 0, 0, 0)},
  };
  EXPECT_EQ(not_refused(refused), std::vector<std::string>());
}

TEST(Sandbox, RefusesSocketsAndOptionsThatNoGatewayHas) {
  constexpr int kMptcp = 262;
  constexpr int kNetfilter = 12;
  constexpr int kReplaceRules = 64;  // IPT_SO_SET_REPLACE
  const Acts refused = {
      {"packets of a link", call(SYS_socket, AF_PACKET, SOCK_RAW, 0)},
      {"raw", call(SYS_socket, AF_INET, SOCK_RAW, IPPROTO_UDP)},
      {"ping", call(SYS_socket, AF_INET, SOCK_DGRAM, IPPROTO_ICMP)},
      {"of many paths", call(SYS_socket, AF_INET, SOCK_STREAM, kMptcp)},
      {"vsock", call(SYS_socket, AF_VSOCK, SOCK_STREAM, 0)},
      {"the packet filter", call(SYS_socket, AF_NETLINK, SOCK_RAW, kNetfilter)},
      {"its older option", call(SYS_setsockopt, 0, IPPROTO_IP, kReplaceRules, nullptr, 0)},
      {"a program for a socket", call(SYS_setsockopt, 0, SOL_SOCKET, SO_ATTACH_FILTER, nullptr, 0)},
      {"another tun", call(SYS_ioctl, 0, TUNSETIFF, nullptr)},
      {"words for a terminal", call(SYS_ioctl, 0, TIOCSTI, nullptr)},
      {"a descriptor's owner", call(SYS_fcntl, 0, F_SETOWN, 1)},
  };
  EXPECT_EQ(not_refused(refused), std::vector<std::string>());
}

TEST(Sandbox, LetsNoMemoryBecomeCode) {
  constexpr size_t kSize = 4096;
  const auto map = [](int protection) {
    return [=] { return ::syscall(SYS_mmap, nullptr, kSize, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); };
  };
  EXPECT_EQ(tried(map(PROT_READ | PROT_WRITE)), 0);
  EXPECT_EQ(tried(map(PROT_READ | PROT_EXEC)), ENOSYS);
  EXPECT_EQ(tried([&] {
              void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
              return ::syscall(SYS_mprotect, memory, kSize, PROT_READ | PROT_EXEC);
            }),
            ENOSYS);
}

TEST(Sandbox, WhenStrictEndsAProcessForAnyCallThatIsNotListed) {
  EXPECT_EQ(tried(call(SYS_setuid, 0), true), -SIGSYS);
  EXPECT_EQ(tried(call(SYS_socket, AF_PACKET, SOCK_RAW, 0), true), -SIGSYS);
  EXPECT_EQ(tried(call(SYS_clone3, nullptr, 0), true), ENOSYS) << "what a C library tries first";
}

TEST(Sandbox, LeavesWhatAGatewayDoes) {
  const std::string file = testing::TempDir() + "/adit-sandbox-" + std::to_string(::getpid());
  const Fd open(::open(file.c_str(), O_RDWR | O_CREAT, 0600));
  load_name_services();
  const int end = end_of([&] {
    filter_system_calls(true);
    bool went = false;
    std::thread([&] { went = true; }).join();
    if (!went) return 1;
    for (const int family : {AF_INET, AF_INET6}) {
      const Fd udp(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      const Fd tcp(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
      if (!udp || !tcp) return 2;
    }
    addrinfo* found = nullptr;
    if (::getaddrinfo("localhost", "342", nullptr, &found) != 0) return 3;
    ::freeaddrinfo(found);
    (void)::getaddrinfo("adit.invalid", "342", nullptr, &found);  // asks every service there is
    if (!std::ifstream("/etc/hosts")) return 4;
    if (::write(open.get(), "x", 1) != 1 || ::ftruncate(open.get(), 0) != 0) return 5;
    return ::unlink(file.c_str()) == 0 ? 0 : 6;
  });
  EXPECT_EQ(end, 0);
  ::unlink(file.c_str());
}

std::map<std::string, std::string> status() {
  std::ifstream file("/proc/self/status");
  std::map<std::string, std::string> values;
  for (std::string line; std::getline(file, line);) {
    const size_t colon = line.find(":\t");
    if (colon != line.npos) values[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return values;
}

TEST(Sandbox, HasNoOtherCapabilitiesThanThoseForAddressesAndPorts) {
  const int end = end_of([] {
    const bool is_root = ::geteuid() == 0;
    enter(Sandbox::kOn, {});
    std::map<std::string, std::string> now = status();
    const std::string none = "0000000000000000";
    const std::string kept = is_root ? "0000000000001400" : now["CapPrm"];
    if (now["CapEff"] != kept || now["CapPrm"] != kept) return 1;
    if (now["CapInh"] != none || now["CapAmb"] != none) return 2;
    if (is_root && now["CapBnd"] != kept) return 3;
    return now["Seccomp"] == "2" && now["NoNewPrivs"] == "1" ? 0 : 4;
  });
  EXPECT_EQ(end, 0);
}

TEST(Sandbox, GivesTheWayBackUntilItIsEntered) {
  const std::string before = status()["CapEff"];
  {
    const LaterPrivileges privileges(Sandbox::kOn, {});
    EXPECT_EQ(status()["CapEff"], ::geteuid() == 0 ? "0000000000001400" : before);
  }
  EXPECT_EQ(status()["CapEff"], before);
}

TEST(Sandbox, OffLeavesEverything) {
  const int end = end_of([] {
    std::map<std::string, std::string> before = status();
    enter(Sandbox::kOff, {});
    std::map<std::string, std::string> now = status();
    return now["CapEff"] == before["CapEff"] && now["Seccomp"] == before["Seccomp"] ? 0 : 1;
  });
  EXPECT_EQ(end, 0);
}

TEST(Sandbox, IsChosenByAVariable) {
  for (const auto& [text, wanted] :
       {std::pair{"off", Sandbox::kOff}, {"on", Sandbox::kOn}, {"strict", Sandbox::kStrict}}) {
    ::setenv("ADIT_SANDBOX", text, 1);
    EXPECT_EQ(wanted_sandbox(), wanted);
  }
  ::setenv("ADIT_SANDBOX", "no", 1);
  EXPECT_THROW(wanted_sandbox(), std::invalid_argument);
  ::unsetenv("ADIT_SANDBOX");
  EXPECT_EQ(wanted_sandbox(), Sandbox::kOn);
}

}  // namespace
}  // namespace adit::daemon
