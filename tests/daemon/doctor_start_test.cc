// `adit doctor` where no gateway runs.
#include <gtest/gtest.h>

#include <cerrno>
#include <system_error>

#include "tests/daemon/doctor_facts.h"

namespace adit::doctor {
namespace {

void does_not_run(Facts& facts) {
  facts.before.reset();
  facts.after.reset();
  facts.pings.clear();
  facts.services.clear();
}

std::vector<Row> start_rows() {
  return {
      {"adit was not started", does_not_run, {Code::kNotRunning}, "adit run -c /etc/adit/adit.toml"},
      {"another program has the port",
       [](Facts& f) {
         does_not_run(f);
         f.ports = {{"listen_port", *Endpoint::parse("0.0.0.0:342"), false, EADDRINUSE, "dnsmasq (pid 812)"},
                    {"listen_port", *Endpoint::parse("[::]:342"), false, EADDRINUSE, "dnsmasq (pid 812)"}};
       },
       {Code::kPortInUse},
       "dnsmasq (pid 812) has udp 0.0.0.0:342"},
      {"an address of another machine",
       [](Facts& f) {
         does_not_run(f);
         f.ports = {{"forward factorio", *Endpoint::parse("192.0.2.1:1"), false, EADDRNOTAVAIL, ""}};
       },
       {Code::kAddressMissing},
       "192.0.2.1"},
      {"a low port and no right",
       [](Facts& f) {
         does_not_run(f);
         f.config->interface.tun = false;
         f.machine.may_administer = false;
         f.ports = {{"listen_port", *Endpoint::parse("0.0.0.0:342"), false, EACCES, ""}};
       },
       {Code::kNoPermission},
       "may not use port 342"},
      {"no right, whatever else",
       [](Facts& f) {
         does_not_run(f);
         f.machine.may_administer = false;
         f.machine.tun_error = EACCES;
         f.ports = {{"listen_port", *Endpoint::parse("0.0.0.0:342"), false, EADDRINUSE, ""}};
       },
       {Code::kNoPermission},
       "CAP_NET_ADMIN"},
      {"a gateway that may not be asked",
       [](Facts& f) {
         does_not_run(f);
         f.control_error = EACCES;
       },
       {Code::kNoPermission},
       "sudo adit doctor"},
      {"no tun device",
       [](Facts& f) {
         does_not_run(f);
         f.machine.tun_error = ENOENT;
       },
       {Code::kNoTun},
       "modprobe tun"},
      {"no tun device, and none wanted",
       [](Facts& f) {
         does_not_run(f);
         f.config->interface.tun = false;
         f.machine.tun_error = ENOENT;
       },
       {Code::kNotRunning},
       "is not running"},
      {"the kernel's own interface",
       [](Facts& f) {
         does_not_run(f);
         f.machine.interface_exists = true;
       },
       {Code::kInterfaceExists},
       "wg-quick down wg0"},
      {"a wrong file",
       [](Facts& f) {
         does_not_run(f);
         f.config.reset();
         f.problems = {{{3, 1}, "unknown key"}, {{7, 2}, "another"}};
       },
       {Code::kConfigWrong},
       "/etc/adit/adit.toml:7:2: another"},
      {"the interface's own key at a peer",
       [](Facts& f) {
         does_not_run(f);
         f.config.reset();
         f.problems = {{{3, 1}, config::kIsOwnPublicKey}};
       },
       {Code::kSwappedKeys},
       "wrong sides"},
      {"a key file of somebody else",
       [](Facts& f) {
         does_not_run(f);
         f.config.reset();
         f.problems = {{{3, 1}, "read wg0.key: " + std::generic_category().message(EACCES)}};
       },
       {Code::kNoPermission},
       "wg0.key"},
  };
}

TEST(DoctorStart, NamesEachFaultAndNothingElse) { expect_diagnoses(start_rows()); }

}  // namespace
}  // namespace adit::doctor
