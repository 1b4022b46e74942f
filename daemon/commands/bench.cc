// adit bench: what this machine seals, opens, carries and forwards.

#include "daemon/bench/bench.h"

#include <sys/stat.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <system_error>

#include "daemon/bench/chart.h"
#include "daemon/bench/machine.h"
#include "daemon/commands/commands.h"
#include "daemon/lab/waiting.h"

namespace adit::daemon {
namespace {

std::string heading(const std::string& what, const bench::Machine& machine) {
  std::array<char, 32> load{};
  std::snprintf(load.data(), load.size(), "%.2f", machine.load);
  return "adit " ADIT_VERSION " bench " + what + "; " + std::to_string(machine.processors) + " x " + machine.processor +
         ", " + machine.system + ", load " + load.data() + " before";
}

constexpr const char* kHowToRead = "median (lowest-highest) of the rounds";

/// Opened before anything is measured: a name that cannot be is no news after minutes.
std::ofstream open_drawing(const std::filesystem::path& file) {
  std::ofstream drawing;
  if (!file.empty()) drawing.open(file);
  if (!drawing) throw std::system_error(errno, std::generic_category(), "write " + file.string());
  return drawing;
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

int tell(const std::string& what, const BenchOutput& output, const std::function<bench::Outcome()>& measure) {
  std::ofstream drawing = open_drawing(output.svg);
  const bench::Machine machine = bench::this_machine();
  const bench::Outcome outcome = measure();
  if (drawing.is_open()) {
    drawing << bench::chart_svg({heading(what, machine), kHowToRead}, outcome.json["figures"]) << std::flush;
    if (!drawing) throw std::system_error(errno, std::generic_category(), "write " + output.svg.string());
  }
  if (output.json) {
    bench::Json all = circumstances(what, machine);
    all.update(outcome.json);
    std::cout << all.dump(2) << "\n";
  } else {
    std::cout << heading(what, machine) << "\n" << kHowToRead << "\n\n" << outcome.text;
  }
  return kExitDone;
}

/// What is built up for the measurement is taken down in order however it ends.
void prepare_stage() {
  lab::hold_interrupts();
  ::umask(077);
}

}  // namespace

int bench_crypto(const BenchOutput& output, unsigned time) {
  return tell("crypto", output, [&] { return bench::bench_crypto(seconds(time)); });
}

int bench_tunnel(const BenchOutput& output, unsigned time, unsigned rounds, const std::string& against) {
  prepare_stage();
  return tell("tunnel", output, [&] { return bench::bench_tunnel({seconds(time), rounds, against}); });
}

int bench_forward(const BenchOutput& output, unsigned time) {
  prepare_stage();
  return tell("forward", output, [&] { return bench::bench_forward(seconds(time)); });
}

}  // namespace adit::daemon
