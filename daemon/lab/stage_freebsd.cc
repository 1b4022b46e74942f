// Network stacks belong to jails here, and no process comes out of a jail again: nobody could walk about on a stage.
#include <signal.h>
#include <sys/procctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <stdexcept>

#include "daemon/lab/stage.h"
#include "daemon/program.h"

namespace adit::lab {

Stage::Stage() {
  throw std::runtime_error("throw-away machines are made of Linux's network namespaces, which FreeBSD does not have");
}

// Nobody has a stage to call these of.
void Stage::add(const std::string&) {}
void Stage::enter(const std::string&) {}
void Stage::connect(const std::string&, const std::string&) {}
void Stage::route(const Prefix&, const Ip&) {}
void Stage::forward_ipv4(bool) {}

std::string own_program() { return daemon::program_path(); }

void die_with(pid_t parent) noexcept {
  int signal = SIGKILL;
  ::procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &signal);
  if (::getppid() != parent) ::_exit(1);
}

}  // namespace adit::lab
