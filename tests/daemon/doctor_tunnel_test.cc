// `adit doctor` of what is behind a tunnel that stands.
#include <gtest/gtest.h>

#include <cerrno>

#include "tests/daemon/doctor_facts.h"

namespace adit::doctor {
namespace {

std::vector<Row> tunnel_rows() {
  return {
      {"home drops what comes through the tunnel",
       [](Facts& f) {
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
       },
       {Code::kWrongAllowedIps},
       "AllowedIPs = 10.1.2.5/32"},
      {"home sends from another address",
       [](Facts& f) {
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
         peer(f).wrong_source = Ip::parse("10.1.2.9");
       },
       {Code::kWrongAllowedIps},
       "allowed_ips = [\"10.1.2.2/32\", \"10.1.2.9/32\"]"},
      {"home also sends from elsewhere, and all is answered",
       [](Facts& f) { peer(f).wrong_source = Ip::parse("192.168.1.5"); },
       {},
       "all is well"},
      {"a gateway that is called and answers no pings",
       [](Facts& f) {
         f.before->forwards.clear();
         f.after->forwards.clear();
         f.services.clear();
         f.config->peers[0].endpoint = config::PeerEndpoint{"198.51.100.2", 342};
         f.pings[0].answered = false;
         peer(f).received_bytes = 2000;
       },
       {},
       "as a gateway with tun = false does not"},
      {"a user who may not ping",
       [](Facts& f) {
         f.pings[0].answered = false;
         f.pings[0].error = EPERM;
       },
       {},
       "ping 10.1.2.2: Operation not permitted"},
      {"large packets vanish", [](Facts& f) { f.pings[0].largest = 1296; }, {Code::kMtuBlackHole}, "mtu = 1296"},
      {"large packets vanish, too small for IPv6",
       [](Facts& f) { f.pings[0].largest = 1200; },
       {Code::kMtuBlackHole},
       "IPv6 needs 1280"},
      {"nobody listens",
       [](Facts& f) { f.services[0].outcome = ServiceProbe::Outcome::kRefused; },
       {Code::kServiceDead},
       "nothing listens at that port"},
      {"a player was told that nobody listens",
       [](Facts& f) { f.after->forwards[0].service_is_reachable = false; },
       {Code::kServiceDead},
       "asked by a player"},
      {"players ask in vain",
       [](Facts& f) {
         f.after->forwards[0].flows = 2;
         f.after->forwards[0].bytes_in = 100;
       },
       {Code::kServiceDead},
       "players ask"},
      {"no tcp connection",
       [](Facts& f) { f.before->forwards[0].tcp = f.after->forwards[0].tcp = true; },
       {Code::kServiceDead},
       "no connection"},
      {"a tcp service that takes connections",
       [](Facts& f) {
         f.before->forwards[0].tcp = f.after->forwards[0].tcp = true;
         f.services[0].outcome = ServiceProbe::Outcome::kAnswers;
       },
       {},
       "takes connections"},
  };
}

TEST(DoctorTunnel, NamesEachFaultAndNothingElse) { expect_diagnoses(tunnel_rows()); }

}  // namespace
}  // namespace adit::doctor
