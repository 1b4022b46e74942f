#!/usr/bin/env python3
"""A flood from a million sources that do not exist against a forward that is played on.

    bench/spoof.py [--rounds N] [--rate DATAGRAMS_PER_SECOND] [--sources N] [--max-flows N] [--answered]
                   [--adit PROGRAM] [--players PROGRAM]

In namespaces, 16 players send 50 datagrams a second each to a port that adit forwards through a tunnel to a service at
home, first in peace, then while each datagram of a flood comes from another address.  Printed for each round: what the
players lost, their round trips in microseconds, what the gateway's memory grew, what of a newcomer's questions is
answered within the flood and after it, how many datagrams the flood had,
and how many flows were opened meanwhile.

The service ignores the flood, as a game does that is sent nonsense, unless --answered.
"""

import argparse
import json
import pathlib
import subprocess
import sys
import time

from lab_forward import PORT, PUBLIC, AditGateway, Process, course, lab

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAYERS_PROGRAM = str(ROOT / "build/bench/bench/adit_players")
SPOOFER = ROOT / "tests/system/spoofer.py"
PLAYERS, EACH = 16, 50
FIRST_SPOOFED = "10.144.0.0"
NEWCOMERS = ("10.129.0.1", "10.130.0.1")
NEWCOMER_SECONDS, NEWCOMER_RATE = 5, 20
PLAYERS_PACKET = 148  # bytes, with IP and UDP headers


def ignore_the_flood(home):
    rule = f"udp dport {PORT} meta length != {PLAYERS_PACKET} drop"
    home.run("nft", "-f", "-", text=f"table ip spoof {{ chain in {{ type filter hook input priority 0; {rule}; }}; }}",
             check=True)


def flows_opened(on, adit):
    shown = on.vps_node.run(adit, "show", "--json", check=True).stdout
    return json.loads(shown)[0]["forwards"][0]["flows_opened"]


def newcomer(on, address):
    """The share of its questions that are answered."""
    words = ["play", "eth0", on.gateway_mac, address, PUBLIC, PORT, 1, NEWCOMER_RATE, 0.05, NEWCOMER_SECONDS]
    found = json.loads(on.players.run(on.program, *map(str, words), check=True, timeout=30).stdout)
    return found["returned"] / found["sent"]


def one_round(options):
    with course(AditGateway, options.adit, options.adit, options.players, options.max_flows) as on:
        if not options.answered:
            ignore_the_flood(on.home_node)
        calm = on.play(PLAYERS * EACH, 5, PLAYERS)
        opened = flows_opened(on, options.adit)
        before = Process.look(on.vps.pid)
        seconds = options.sources / options.rate

        def meanwhile(warm_up):
            time.sleep(warm_up)
            words = ["flood", "eth0", on.gateway_mac, FIRST_SPOOFED, PUBLIC, PORT, options.rate, seconds]
            with subprocess.Popen(on.players.command(sys.executable, SPOOFER, *words), stdout=subprocess.PIPE,
                                  text=True) as attack:
                time.sleep(seconds / 3)
                told = {"newcomer_within": newcomer(on, NEWCOMERS[0])}
                told["spoofed"] = int(attack.communicate(timeout=seconds + 30)[0])
            return told

        flooded = on.play(PLAYERS * EACH, seconds + 2, PLAYERS, meanwhile)
        after = Process.look(on.vps.pid)
        return {
            "spoofed": flooded["spoofed"],
            "flows_opened": flows_opened(on, options.adit) - opened,
            "lost_in_peace": calm["loss"],
            "lost": flooded["loss"],
            "p50": (calm["p50"], flooded["p50"]),
            "p99": (calm["p99"], flooded["p99"]),
            "gateway_cpu_seconds": after.cpu_seconds - before.cpu_seconds,
            "grown_mib": after.resident_mib - before.resident_mib,
            "newcomer_within": flooded["newcomer_within"],
            "newcomer_after": newcomer(on, NEWCOMERS[1]),
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=40_000)
    parser.add_argument("--sources", type=int, default=1_000_000)
    parser.add_argument("--max-flows", type=int, default=2048)
    parser.add_argument("--adit", default=lab.ADIT_RELEASE)
    parser.add_argument("--players", default=PLAYERS_PROGRAM, help="bench/players.cc")
    parser.add_argument("--answered", action="store_true")
    options = parser.parse_args()
    if lab.IMPOSSIBLE:
        sys.exit(lab.IMPOSSIBLE)
    for _ in range(options.rounds):
        print(json.dumps(one_round(options)), flush=True)


if __name__ == "__main__":
    main()
