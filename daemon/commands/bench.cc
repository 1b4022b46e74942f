// adit bench: what this machine seals, opens, carries and forwards.

#include "daemon/bench/bench.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <functional>
#include <iostream>

#include "daemon/bench/machine.h"
#include "daemon/commands/commands.h"
#include "daemon/lab/waiting.h"

namespace adit::daemon {
namespace {

std::string heading(const std::string& what, const bench::Machine& machine) {
  std::array<char, 32> load{};
  std::snprintf(load.data(), load.size(), "%.2f", machine.load);
  return "adit " ADIT_VERSION " bench " + what + "; " + std::to_string(machine.processors) + " x " + machine.processor +
         ", " + machine.system + ", load " + load.data() + " before\nmedian (lowest-highest) of the rounds\n\n";
}

bench::Json circumstances(const std::string& what, const bench::Machine& machine) {
  return {{"bench", what},
          {"version", ADIT_VERSION},
          {"machine",
           {{"processor", machine.processor},
            {"processors", machine.processors},
            {"system", machine.system},
            {"load_before", machine.load}}}};
}

int tell(const std::string& what, bool json, const std::function<bench::Outcome()>& measure) {
  const bench::Machine machine = bench::this_machine();
  const bench::Outcome outcome = measure();
  if (json) {
    bench::Json all = circumstances(what, machine);
    all.update(outcome.json);
    std::cout << all.dump(2) << "\n";
  } else {
    std::cout << heading(what, machine) << outcome.text;
  }
  return kExitDone;
}

/// What is built up for the measurement is taken down in order however it ends.
void prepare_stage() {
  lab::hold_interrupts();
  ::umask(077);
}

}  // namespace

int bench_crypto(bool json, unsigned time) {
  return tell("crypto", json, [&] { return bench::bench_crypto(seconds(time)); });
}

int bench_tunnel(bool json, unsigned time, unsigned rounds, const std::string& against) {
  prepare_stage();
  return tell("tunnel", json, [&] { return bench::bench_tunnel({seconds(time), rounds, against}); });
}

int bench_forward(bool json, unsigned time) {
  prepare_stage();
  return tell("forward", json, [&] { return bench::bench_forward(seconds(time)); });
}

}  // namespace adit::daemon
