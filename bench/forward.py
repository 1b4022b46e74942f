#!/usr/bin/env python3
"""A forwarded UDP port: adit's beside the way it is done without, another program's tunnel and the kernel's NAT.

    bench/forward.py [--rounds N] [--seconds N] [--adit PROGRAM] [--against PROGRAM] [--home PROGRAM] [--flows N]
                     [--rates N...] [--no-calls] [--markdown] [--json FILE] [--svg FILE]

Players, a VPS and a machine at home are namespaces with cables between them.  The players' datagrams of 120 bytes go to
a port of the VPS, through a tunnel to a service at home that echoes them, and back.  On the VPS is either `adit run` with
one forward, or wireguard-go with nftables' DNAT and SNAT; home has the same program as the VPS, or --home.  The programs
take turns within each round, everything of a turn is new, and nothing is pinned; all of it runs at a high priority, lest
it measures what else the machine does.  If --against is an adit, both VPSs forward with theirs.

First comes a ladder of offered rates, up to where a program loses more than a tenth; then, by the other's median rate
at which it loses 1 %:

  half              both at half of it: round trips, CPU time, memory
  x2.5, x3          adit at so many times as much
  single            one player's 50 datagrams per second

Last, once, what system calls a round trip takes at `half`, as perf counts them.  Printed are medians (lowest-highest).
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import time

import chart
from lab_forward import AditGateway, course, lab, nat_gateway
from lab_tunnel import describe_machine, version
from tunnel import markdown, plain, spread

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAYERS_PROGRAM = str(ROOT / "build/bench/bench/adit_players")
RATES = [10, 20, 30, 35, 40, 45, 50, 55, 60, 70, 80, 90, 100, 110, 120, 140, 160, 200, 250]  # thousands per second
BEGINS_TO_LOSE, GIVES_UP = 0.01, 0.1
NICE = -15  # the players themselves have more
AUTOGROUP = pathlib.Path("/proc/self/autogroup")  # sched(7): what is nice to all but its own session is nice to nobody
MULTIPLES = (2.5, 3)


class Program:
    """What runs on the VPS, and its measurements: by case, in the order of the rounds."""

    def __init__(self, path, home, flows):
        self.path, self.home, self.flows = path, home or path, flows
        self.is_adit = "adit" in lab.run(path, "--version").stdout
        self.ladders, self.cases = [], {}

    def course(self):
        return course(AditGateway if self.is_adit else nat_gateway, self.path, self.home, PLAYERS_PROGRAM, self.flows)

    def climb(self, rates, seconds):
        steps = []
        with self.course() as here:
            for rate in rates:
                steps.append(self.step(here, rate, seconds))
                if steps[-1]["loss"] > GIVES_UP:
                    break
        self.ladders.append(steps)
        return steps

    @staticmethod
    def step(here, rate, seconds):
        """What loses 1 % does so twice, and the better of the two counts: machines have hiccups."""
        found = here.play(rate, seconds)
        if found["loss"] < BEGINS_TO_LOSE:
            return found
        return min(found, here.play(rate, seconds), key=lambda each: each["loss"])

    def limits(self):
        """Of each round, the lowest rate at which it lost 1 %; the highest tried, where it never did."""
        return [next((step["rate"] for step in steps if step["loss"] >= BEGINS_TO_LOSE), steps[-1]["rate"])
                for steps in self.ladders]

    def at(self, rate, key):
        """Figures of all rounds that came so far."""
        return [step[key] for steps in self.ladders for step in steps if step["rate"] == rate]

    def values(self, case, key):
        return [found[key] for found in self.cases.get(case, [])] or None


def tell(name, case, found):
    print(f"{name:14} {case:8} {found['rate']:9.0f}/s  lost {found['loss']:8.4%}  p50 {found['p50']:9.1f} µs"
          f"  p99 {found['p99']:9.1f} µs  VPS {found['vps_cpu']:6.2f} s/M", file=sys.stderr, flush=True)
    if found["late"] > 0.02 * found["sent"]:
        print(f"{'':14} the players were late with {found['late']} of {found['sent']}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def before_others():
    """Others who use the machine wait meanwhile, as far as the kernel lets us have it so."""
    os.setpriority(os.PRIO_PROCESS, 0, NICE)
    before = AUTOGROUP.read_text().split()[-1] if AUTOGROUP.exists() and os.access(AUTOGROUP, os.W_OK) else None
    if before is not None:
        AUTOGROUP.write_text(str(-20))
    try:
        yield
    finally:
        if before is not None:
            AUTOGROUP.write_text(before)


def in_turn(programs, number):
    """Each comes first every other time."""
    turns = list(programs.items())
    return turns if number % 2 == 0 else turns[::-1]


def attempt(what, measure):
    """Machines are busy at times: one that fails is measured again, once."""
    try:
        return measure()
    except (AssertionError, subprocess.TimeoutExpired) as error:
        print(f"{what}: again, as {error}", file=sys.stderr, flush=True)
        return measure()


def climb_all(programs, options):
    for number in range(options.rounds):
        for name, program in in_turn(programs, number):
            for step in attempt(name, lambda: program.climb(options.rates, options.seconds)):
                tell(name, "ladder", step)


def cases_of(name, programs):
    """What a program is measured at, by what the second one can do: (case, rate, flows)."""
    ours, theirs = programs
    limit = statistics.median(programs[theirs].limits())
    cases = [("half", limit / 2, None), ("single", 50, 1)]
    if name == ours:
        cases += [(f"x{multiple:g}", limit * multiple, None) for multiple in MULTIPLES]
    return cases


def measure_cases(programs, options):
    for number in range(options.rounds):
        for name, program in in_turn(programs, number):
            for case, rate, flows in cases_of(name, programs):

                def one():
                    with program.course() as here:
                        return here.play(rate, options.seconds if flows is None else 3 * options.seconds, flows)

                found = attempt(name, one)
                program.cases.setdefault(case, []).append(found)
                tell(name, case, found)


# ---- system calls


def calls_of(path):
    """By system call: how many, and seconds spent in them, of a summary by `perf trace -s`."""
    found = {}
    for line in path.read_text().splitlines():
        words = line.split()
        if len(words) >= 7 and words[1].isdigit() and words[2].isdigit():
            count, seconds = found.get(words[0], (0, 0))
            found[words[0]] = (count + int(words[1]), seconds + float(words[3]) / 1000)
    return found


def count_calls(program, rate, seconds):
    """Lines of (where, call, calls in each round trip, µs in them in each round trip)."""
    lines = []
    with program.course() as here:
        for where, process in (("VPS", here.vps), ("home", here.home), ("service", here.service)):
            report = here.players.directory / f"{where}.calls"

            def trace(warm_up):
                time.sleep(warm_up)
                words = ["perf", "trace", "-s", "-p", process.pid, "-o", report, "--", "sleep", seconds]
                lab.run(*map(str, words), check=True, timeout=seconds + 20)
                return {}

            here.play(rate, seconds + 1.5, meanwhile=trace)
            for call, (count, spent) in sorted(calls_of(report).items(), key=lambda each: -each[1][0]):
                if count / (rate * seconds) >= 0.005:
                    lines.append([where, call, f"{count / (rate * seconds):.2f}", f"{1e6 * spent / (rate * seconds):.2f}"])
    return lines


def measure(programs, options):
    """Everything; returns the tables of it."""
    climb_all(programs, options)
    measure_cases(programs, options)
    tables = [summary(programs), ladder(programs, options.rates)]
    if options.no_calls or not shutil.which("perf"):
        return tables
    for name, program in programs.items():
        calls = count_calls(program, program.values("half", "rate")[0], options.seconds)
        tables.append([["", f"{name}: call", "in each round trip", "µs in it, waiting included"], *calls])
    return tables


# ---- what is told


def ratio(ours, theirs):
    return [one / other if other else float("nan") for one, other in zip(ours, theirs)] if ours and theirs else None


def summary(programs):
    names = list(programs)
    both = [programs[name] for name in names]
    lines = [["", "unit", *names, f"{names[0]} / {names[1]}"]]

    def add(what, unit, values, scale=1.0):
        values = [each and [scale * value for value in each] for each in values]
        lines.append([what, unit, *map(spread, values), spread(ratio(*values))])

    def case(what, unit, name, key, scale=1.0):
        add(what, unit, [program.values(name, key) for program in both], scale)

    add("begins to lose 1 % at", "1000/s", [program.limits() for program in both], 1e-3)
    rate = both[0].values("half", "rate")[0]
    for key, what in (("p50", "round trip"), ("p99", "round trip p99"), ("p999", "round trip p99.9")):
        case(f"{what}, {rate:.0f}/s", "µs", "half", key)
    case(f"VPS process's CPU time, {rate:.0f}/s", "s/million", "half", "vps_cpu")
    case(f"CPU time of all processes, {rate:.0f}/s", "s/million", "half", "processes_cpu")
    case(f"the machine's softirqs, {rate:.0f}/s", "s/million", "half", "softirq_cpu")
    case(f"memory of the VPS process, {rate:.0f}/s", "MiB", "half", "resident")
    case("round trip, 1 player, 50/s", "µs", "single", "p50")
    case("round trip p99, 1 player, 50/s", "µs", "single", "p99")
    for multiple in MULTIPLES:
        name = f"x{multiple:g}"
        case(f"lost at {both[0].values(name, 'rate')[0]:.0f}/s", "%", name, "loss", 100)
    return lines


def ladder(programs, rates):
    heads = [f"{name}: {what}" for name in programs for what in ("lost %", "p50 ms", "p99 ms")]
    lines = [["offered per second", "unit", *heads]]
    for rate in rates:
        cells = []
        for program in programs.values():
            for key, scale in (("loss", 100), ("p50", 1e-3), ("p99", 1e-3)):
                cells.append(spread([scale * value for value in program.at(rate, key)] or None))
        if any(cell != "-" for cell in cells):
            lines.append([f"{rate}", "", *cells])
    return [[line[0], *line[2:]] for line in lines]


def svg(programs, rates, notes):
    def points(program, key, scale):
        return [(rate / 1000, scale * statistics.median(values)) for rate in rates if (values := program.at(rate, key))]

    panels = [
        ("Lost, %, over thousands of datagrams offered per second", [points(p, "loss", 100) for p in programs.values()]),
        ("Round trip p99, ms, logarithmic", [points(p, "p99", 1e-3) for p in programs.values()]),
    ]
    return chart.curves("A forwarded UDP port", notes, list(programs), panels, logarithmic=[False, True])


def notes_of(options, programs):
    machine = describe_machine()
    command = f"bench/forward.py --rounds {options.rounds} --seconds {options.seconds} --flows {options.flows}"
    if options.rates != [1000 * rate for rate in RATES]:
        command += f" --rates {' '.join(map(str, options.rates))}"
    versions = [version(name, program.path) for name, program in programs.items()]
    home = f"; {pathlib.Path(options.home).name} at home" if options.home else ""
    return [
        f"{time.strftime('%Y-%m-%d', time.gmtime())}; {machine['processors']} x {machine['processor']}, {machine['system']},"
        f" {machine['busy_before']:.0%} busy before the start",
        f"{', '.join(versions)}{home}; {command}",
    ]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2, help="of each measurement")
    parser.add_argument("--adit", default=lab.ADIT_RELEASE, metavar="PROGRAM")
    parser.add_argument("--against", default="wireguard-go", metavar="PROGRAM", help="one with its command line")
    parser.add_argument("--home", metavar="PROGRAM", help="at home in every turn; by default, the same as on the VPS")
    parser.add_argument("--flows", type=int, default=32, help="players")
    parser.add_argument("--rates", type=int, nargs="+", default=[1000 * rate for rate in RATES], metavar="PER_SECOND")
    parser.add_argument("--no-calls", action="store_true", help="do not count system calls")
    parser.add_argument("--markdown", action="store_true", help="print the tables as RESULTS.md has them")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every measurement")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw the medians of the ladder")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds <= 0 or options.flows < 1:
        parser.error("--rounds and --flows are at least 1, --seconds is more than 0")
    for file in filter(None, (options.json, options.svg)):
        if not file.parent.is_dir():  # better said now than when everything is measured
            parser.error(f"there is no directory {file.parent}")
    return options


def main():
    options = parse_options()
    if lab.IMPOSSIBLE:
        sys.exit(lab.IMPOSSIBLE)
    for program in filter(None, (options.adit, options.against, options.home, PLAYERS_PROGRAM)):
        if not shutil.which(program):
            sys.exit(f"there is no program {program}")
    name = pathlib.Path(options.against).name
    programs = {"adit": Program(options.adit, options.home, options.flows)}
    programs[name if name != "adit" else "other adit"] = Program(options.against, options.home, options.flows)
    notes = notes_of(options, programs)
    with before_others():
        tables = measure(programs, options)
    layout = markdown if options.markdown else plain
    print("\n\n".join(["  \n".join(notes), *map(layout, tables)]))
    if options.json:
        measured = {name: {"ladders": each.ladders, "cases": each.cases} for name, each in programs.items()}
        options.json.write_text(json.dumps({"notes": notes, "measurements": measured}, indent=2) + "\n")
    if options.svg:
        options.svg.write_text(svg(programs, options.rates, notes))


if __name__ == "__main__":
    main()
