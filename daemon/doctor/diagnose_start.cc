// Why no gateway runs: the file, what the machine permits, ports that others have.

#include <algorithm>
#include <cerrno>

#include "daemon/doctor/diagnose.h"
#include "daemon/doctor/words.h"

namespace adit::doctor {
namespace {

bool is_about_permission(const config::Problem& problem) {
  return problem.text.find(reason(EACCES)) != problem.text.npos;
}
bool is_about_own_key(const config::Problem& problem) {
  return problem.text == config::kIsOwnPublicKey || problem.text == config::kIsOwnPrivateKey;
}

std::string place_of(const Facts& facts, const config::Problem& problem) {
  if (problem.place.line == 0) return problem.text;
  return facts.config_file + ":" + std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column) +
         ": " + problem.text;
}

/// One finding for all problems of a kind.
void diagnose_file(const Facts& facts, Diagnosis& diagnosis) {
  Finding permission = {Code::kNoPermission, "this user may not read what adit needs", {}, {"sudo adit doctor"}};
  Finding keys = {Code::kSwappedKeys,
                  "a peer has a key of this gateway: keys stand on the wrong sides",
                  {},
                  {"at home: adit pubkey < wg0.key (or: wg show wg0 public-key), and put what it prints here"}};
  Finding wrong = {Code::kConfigWrong,
                   "the configuration is wrong",
                   {},
                   {"mend these lines, then: adit check -c " + file_of(facts)}};
  for (const config::Problem& problem : facts.problems) {
    Finding& about = is_about_permission(problem) ? permission : is_about_own_key(problem) ? keys : wrong;
    about.saw.push_back(place_of(facts, problem));
  }
  for (Finding* each : {&permission, &keys, &wrong}) {
    if (!each->saw.empty()) diagnosis.findings.push_back(std::move(*each));
  }
}

/// True when there is nothing more to be learned.
bool diagnose_permission(const Facts& facts, Diagnosis& diagnosis) {
  if (facts.control_error == EACCES || facts.control_error == EPERM) {
    diagnosis.findings.push_back({Code::kNoPermission,
                                  "this user may not ask the gateway " + facts.interface,
                                  {"its control socket: " + reason(facts.control_error)},
                                  {"sudo adit doctor"}});
    return true;
  }
  if (!facts.config || !facts.config->interface.tun || facts.machine.may_administer) return false;
  diagnosis.findings.push_back({Code::kNoPermission,
                                "this user may not make the interface " + facts.interface,
                                {"it needs root, or CAP_NET_ADMIN, for its tun device, addresses and routes"},
                                {"sudo adit run -c " + file_of(facts),
                                 "if adit runs already, as root, and you only want to look: sudo adit doctor",
                                 "if forwards are all it is for: tun = false in [interface] works without"}});
  return true;
}

void diagnose_tun(const Facts& facts, Diagnosis& diagnosis) {
  if (!facts.config->interface.tun) return;
  if (facts.machine.interface_exists) {
    diagnosis.findings.push_back(
        {Code::kInterfaceExists,
         "there is an interface " + facts.interface + " already, which is not adit's",
         {facts.interface + " exists, but no adit answers at its control socket"},
         {"if it is wg-quick's: wg-quick down " + facts.interface + ", and disable it at boot",
          "or give this gateway another name: name = \"adit0\" in [interface] of " + file_of(facts)}});
  }
  if (facts.machine.tun_error == 0) return;
  diagnosis.findings.push_back(
      {Code::kNoTun,
       "this machine gives adit no tun device",
       {"opening it: " + reason(facts.machine.tun_error)},
       {facts.advice.load_tun, "in a container: let it have the device and NET_ADMIN; many VPS panels call it TUN/TAP",
        "if forwards are all it is for: tun = false in [interface] works without"}});
}

Finding port_finding(const Facts& facts, const PortFault& fault) {
  const std::string where = (fault.tcp ? "tcp " : "udp ") + fault.endpoint.to_string();
  const std::string saw = "bind " + where + " (" + fault.of + "): " + reason(fault.error);
  const std::string port = std::to_string(fault.endpoint.port);
  if (fault.error == EACCES || fault.error == EPERM) {
    return {Code::kNoPermission,
            "this user may not use port " + port,
            {saw},
            {"sudo adit run -c " + file_of(facts), "or a port above 1023 for " + fault.of}};
  }
  if (fault.error == EADDRNOTAVAIL) {
    return {Code::kAddressMissing,
            "this machine does not have the address " + fault.endpoint.ip.to_string(),
            {saw},
            {"an address of this machine (ip addr) in " + fault.of + ", or 0.0.0.0 for all of IPv4, [::] of IPv6"}};
  }
  const std::string holder = fault.holder.empty() ? "another program, or the kernel" : fault.holder;
  return {Code::kPortInUse,
          holder + " has " + where + ", which " + fault.of + " needs",
          {saw},
          {"see who has it: " + with(facts.advice.who_has, "PORT", port),
           "end that program, or take another port for " + fault.of + " in " + file_of(facts)}};
}

void diagnose_ports(const Facts& facts, Diagnosis& diagnosis) {
  for (const PortFault& fault : facts.ports) {
    Finding finding = port_finding(facts, fault);
    // A port is often wanted for IPv4 and IPv6, and had by one program: that is one fault.
    const auto same = std::ranges::find_if(diagnosis.findings, [&](const Finding& earlier) {
      return earlier.code == finding.code && earlier.to_do == finding.to_do;
    });
    if (same == diagnosis.findings.end())
      diagnosis.findings.push_back(std::move(finding));
    else
      same->saw.push_back(finding.saw.front());
  }
}

}  // namespace

void diagnose_start(const Facts& facts, Diagnosis& diagnosis) {
  diagnose_file(facts, diagnosis);
  if (!diagnosis.findings.empty() || diagnose_permission(facts, diagnosis)) return;
  if (facts.config) {
    diagnosis.well.push_back("configuration " + facts.config_file + " is right");
    diagnose_tun(facts, diagnosis);
    diagnose_ports(facts, diagnosis);
  }
  if (!diagnosis.findings.empty()) return;
  diagnosis.findings.push_back({Code::kNotRunning,
                                "adit is not running",
                                {"nobody answers at the control socket of " + facts.interface,
                                 "nothing was found that would keep it from starting"},
                                {with(facts.advice.start, "FILE", file_of(facts))}});
}

}  // namespace adit::doctor
