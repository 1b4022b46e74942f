#!/usr/bin/env python3
"""Whole tunnels, adit's beside another program's: throughput, packets per second, round trips, CPU time and memory.

    bench/tunnel.py [--rounds N] [--seconds N] [--against PROGRAM] [--only CASE...]
                    [--no-cipher PROGRAM] [--markdown] [--json FILE] [--svg FILE]

Two machines with a cable between them, in namespaces of their own, and the same program at both ends, which wg
configures.  Every measurement has new processes; in each round and case the two programs take turns, and nothing is
pinned.  Printed are medians (lowest-highest) over the rounds; a ratio is that of two neighbours in time, and its median
is taken last.  The column without a tunnel is measured once: the limit of cable, iperf3 and kernel on this machine.
The one without a cipher takes its turns, too: adit as it would be if encryption were free, which a benchmark build can
be told to be (ADIT_AEAD=null).

  tcp1, tcp4        one and four TCP flows
  udp64, udp1300    as many datagrams as a plain sender gets rid of, with so many bytes of payload: those that came out
                    of the tunnel, and those that a plain receiver kept up with
  ping, ping-load   round trips when nothing else happens, and beside one TCP flow
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

import chart
from lab_tunnel import Transfer, describe_machine, lab, machine_cpu_seconds, two_machines, version

GIB = 2**30
PINGS = 200
ATTEMPTS = 3
NO_TUNNEL = "no tunnel"
NO_CIPHER = "no cipher"
BENCH_BUILD = pathlib.Path(__file__).resolve().parent.parent / "build" / "bench" / "adit"


# ---- what is measured


def costs(ends, began):
    """What the tunnel's processes have cost since `began`, their CPU times then."""
    return {
        "process_cpu_seconds": [end.cpu_seconds() - before for end, before in zip(ends, began)],
        "process_peak_kib": [end.peak_kib() for end in ends],
    }


def transfer(here, seconds, *options, meanwhile=None):
    """What iperf3 received and what it cost; also, what `meanwhile` returns while it runs."""
    machine, began = machine_cpu_seconds(), [end.cpu_seconds() for end in here.ends]
    start = time.monotonic()
    client = Transfer(here.client, here.address, seconds, *options)
    try:
        found = meanwhile() if meanwhile else {}
        time.sleep(max(0, start + 0.8 * seconds - time.monotonic()))
        found["process_resident_kib"] = [end.resident_kib() for end in here.ends]
        received = client.received()
    finally:
        client.process.kill()
    return received, found | costs(here.ends, began) | {"machine_cpu_seconds": machine_cpu_seconds() - machine}


def tcp(here, seconds, flows):
    received, found = transfer(here, seconds, "-P", flows)
    gib = received["bytes"] / GIB
    found |= {"rate": received["bits_per_second"] / 1e9, "cpu": found["machine_cpu_seconds"] / gib}
    if here.ends:
        found["tunnel_cpu"] = sum(found["process_cpu_seconds"]) / gib
        found["resident"] = sum(found["process_resident_kib"]) / 1024
        found["peak"] = sum(found["process_peak_kib"]) / 1024
    return found


def udp(here, seconds, length):
    """iperf3 makes one system call for each datagram, as a plain application does."""
    before = here.arrived()
    received, found = transfer(here, seconds, "-u", "-b", "0", "-l", length)
    arrived = (here.arrived() - before) / received["seconds"] / 1000
    return found | {"arrived": arrived, "rate": received["bytes"] / length / received["seconds"] / 1000}


def ping(here, interval=0.002):
    """Round trips in microseconds."""
    words = ["ping", "-n", "-c", PINGS, "-i", f"{interval:.3f}", "-W", "2", here.address]
    output = here.client.run(*words, timeout=PINGS * interval + 20).stdout
    times = sorted(float(each) * 1000 for each in re.findall(r" time=([\d.]+) ms", output))
    if len(times) < PINGS / 2:
        raise AssertionError(f"{len(times)} of {PINGS} pings came back:\n{output[-300:]}")
    return {"median": statistics.median(times), "p99": times[len(times) * 99 // 100], "lost": PINGS - len(times)}


def ping_under_load(here, seconds):
    """The pings are spread over the middle of one TCP flow's time."""

    def pings():
        time.sleep(0.1 * seconds)
        return ping(here, max(0.002, 0.6 * seconds / PINGS))

    return transfer(here, seconds, meanwhile=pings)[1]


CASES = {
    "tcp1": lambda here, seconds: tcp(here, seconds, 1),
    "tcp4": lambda here, seconds: tcp(here, seconds, 4),
    "udp64": lambda here, seconds: udp(here, seconds, 64),
    "udp1300": lambda here, seconds: udp(here, seconds, 1300),
    "ping": lambda here, seconds: ping(here),
    "ping-load": ping_under_load,
}


class Figure(NamedTuple):
    """One line of the result: a number that every measurement of a case has."""

    case: str
    key: str
    name: str
    unit: str
    more_is_better: bool = False


def tcp_figures(case, flows):
    return [
        Figure(case, "rate", f"TCP, {flows}", "Gbit/s", True),
        Figure(case, "cpu", f"CPU time, {flows}", "s/GiB"),
        Figure(case, "tunnel_cpu", f"tunnel's CPU time, {flows}", "s/GiB"),
        Figure(case, "resident", f"memory, {flows}", "MiB"),
        Figure(case, "peak", f"peak memory, {flows}", "MiB"),
    ]


FIGURES = [
    *tcp_figures("tcp1", "1 flow"),
    *tcp_figures("tcp4", "4 flows"),
    Figure("udp64", "arrived", "UDP, 64 bytes", "kpkt/s", True),
    Figure("udp64", "rate", "of those received", "kpkt/s", True),
    Figure("udp1300", "arrived", "UDP, 1300 bytes", "kpkt/s", True),
    Figure("udp1300", "rate", "of these received", "kpkt/s", True),
    Figure("ping", "median", "round trip, idle", "µs"),
    Figure("ping", "p99", "round trip p99, idle", "µs"),
    Figure("ping-load", "median", "round trip, loaded", "µs"),
    Figure("ping-load", "p99", "round trip p99, loaded", "µs"),
]


# ---- the rounds


class Results:
    """Every measurement of a run: by case and program name, in the order of the rounds."""

    def __init__(self, cases, programs):
        self.measurements = {case: {name: [] for name in programs} for case in cases}
        self.failures = []

    def measure_all(self, case, programs, seconds):
        """One measurement of each program, or of none: so neighbours stay neighbours."""
        found = {name: self.measure(case, name, program, seconds) for name, program in programs.items()}
        if all(found.values()):
            for name, measurement in found.items():
                self.measurements[case][name].append(measurement)

    def measure(self, case, name, program, seconds):
        """One that fails is taken again, a few times; that is told.  None when there is none."""
        for _ in range(ATTEMPTS):
            try:
                with ciphers_of(name), two_machines(program) as here:
                    found = CASES[case](here, seconds)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                self.failures.append(f"{case}, {name}: {str(error).splitlines()[0]}")
                print(error, file=sys.stderr, flush=True)
                continue
            told = [f"{found[each.key]:.4g} {each.unit}" for each in FIGURES if each.case == case and each.key in found]
            print(f"{case:10} {name:14} {', '.join(told)}", file=sys.stderr, flush=True)
            return found
        return None

    def has(self, name):
        return any(name in measured for measured in self.measurements.values())

    def values(self, figure, name):
        """None where the figure does not exist: what a tunnel costs where there is none."""
        found = self.measurements.get(figure.case, {}).get(name, [])
        return [each[figure.key] for each in found if figure.key in each] or None

    def ratios(self, figure, names):
        values = [self.values(figure, name) for name in names]
        return [ours / theirs for ours, theirs in zip(*values)] if all(values) else None


@contextlib.contextmanager
def ciphers_of(name):
    """What is measured without a cipher is started without."""
    if name == NO_CIPHER:
        os.environ["ADIT_AEAD"] = "null"
    try:
        yield
    finally:
        if name == NO_CIPHER:
            del os.environ["ADIT_AEAD"]


def run_rounds(cases, programs, rounds, seconds):
    results = Results(cases, [*programs, NO_TUNNEL])
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for case in cases:
            results.measure_all(case, programs, seconds)
            if number == 0:
                results.measure_all(case, {NO_TUNNEL: None}, seconds)
    return results


# ---- what is told


def short(value):
    """Three digits, or all before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def spread(values):
    if values is None:
        return "-"
    middle = short(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({short(min(values))}-{short(max(values))})"


def table(results, names):
    """Lines of cells; the first is the head."""
    limits = [NO_CIPHER, NO_TUNNEL] if results.has(NO_CIPHER) else [NO_TUNNEL]
    lines = [["", "unit", *names, f"{names[0]} / {names[1]}", *limits]]
    for figure in FIGURES:
        if figure.case in results.measurements:
            cells = [spread(results.values(figure, name)) for name in names]
            cells += [spread(results.ratios(figure, names)), *(spread(results.values(figure, name)) for name in limits)]
            lines.append([figure.name, figure.unit, *cells])
    return lines


def plain(lines):
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def markdown(lines):
    head, *rest = lines
    rule = ["---"] * 2 + ["---:"] * (len(head) - 2)
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rest))


def svg(results, names, notes):
    groups = {"More is better": [], "Less is better": []}
    for figure in FIGURES:
        if results.ratios(figure, names):
            figures = [short(statistics.median(results.values(figure, name))) for name in names]
            ratio = statistics.median(results.ratios(figure, names))
            texts = [f"{figures[0]} {figure.unit} ({short(ratio)}x)", f"{figures[1]} {figure.unit}"]
            groups["More is better" if figure.more_is_better else "Less is better"].append((figure.name, ratio, *texts))
    title = f"Whole tunnels: {names[0]} beside {names[1]}"
    return chart.relative_bars(title, notes, names, [group for group in groups.items() if group[1]])


def circumstances(options, cases, programs):
    """What a reader must know to judge the figures.  Paths are left out: they tell nothing to anybody else."""
    command = f"bench/tunnel.py --rounds {options.rounds} --seconds {options.seconds}"
    command += f" --against {pathlib.Path(options.against).name}"
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "machine": describe_machine(),
        "versions": [*(version(*each) for each in programs.items()), version("iperf3", "iperf3")],
        "command": command if len(cases) == len(CASES) else f"{command} --only {' '.join(cases)}",
    }


def notes(told):
    machine = told["machine"]
    return [
        f"{told['date']}; {machine['processors']} x {machine['processor']}, {machine['system']},"
        f" {machine['busy_before']:.0%} busy before the start",
        f"{', '.join(told['versions'])}; {told['command']}",
    ]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=5, help="of each measurement")
    parser.add_argument("--against", default="wireguard-go", metavar="PROGRAM", help="one with its command line")
    parser.add_argument("--no-cipher", metavar="PROGRAM", default=BENCH_BUILD if BENCH_BUILD.exists() else None,
                        help="a benchmark build of adit; by default build/bench/adit, if there is one")
    parser.add_argument("--only", nargs="+", choices=CASES, metavar="CASE", help=", ".join(CASES))
    parser.add_argument("--markdown", action="store_true", help="print the table as RESULTS.md has it")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write every measurement")
    parser.add_argument("--svg", type=pathlib.Path, metavar="FILE", help="draw the medians")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 1:
        parser.error("--rounds and --seconds are at least 1")
    for file in filter(None, (options.json, options.svg)):
        if not file.parent.is_dir():  # better said now than when everything is measured
            parser.error(f"there is no directory {file.parent}")
    return options


def main():
    options = parse_options()
    if lab.IMPOSSIBLE:
        sys.exit(lab.IMPOSSIBLE)
    peer = pathlib.Path(options.against).name
    programs = {"adit": lab.ADIT_RELEASE, peer if peer != "adit" else "other adit": options.against}
    limit = {NO_CIPHER: options.no_cipher} if options.no_cipher else {}
    for program in [*programs.values(), *limit.values()]:
        if not shutil.which(program):
            sys.exit(f"there is no program {program}")
    cases = [case for case in CASES if case in (options.only or CASES)]
    told, names = circumstances(options, cases, programs), list(programs)
    results = run_rounds(cases, programs | limit, options.rounds, options.seconds)

    lines = table(results, names)
    print("\n\n".join(["  \n".join(notes(told)), markdown(lines) if options.markdown else plain(lines)]))
    for failure in results.failures:
        print(f"\nmeasured again after a failure: {failure}")
    if options.json:
        whole = told | {"failures": results.failures, "measurements": results.measurements}
        options.json.write_text(json.dumps(whole, indent=2) + "\n")
    if options.svg:
        options.svg.write_text(svg(results, names, notes(told)))


if __name__ == "__main__":
    main()
