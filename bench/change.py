#!/usr/bin/env python3
"""What players lose when the gateway's configuration changes, and when the gateway is restarted.

    bench/change.py [--rounds N] [--rate DATAGRAMS_PER_SECOND] [--adit PROGRAM] [--players PROGRAM]

In namespaces, 32 players send datagrams to a port that adit forwards through a tunnel to an echo at home.  Each round:
five seconds in peace, five with a reload of another configuration every half second (another forward comes and goes),
five with one restart.  Printed: datagrams lost of how many, and what they are in milliseconds of traffic.
"""

import argparse
import pathlib
import time

from lab_forward import AditGateway, course, lab

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLAYERS, SECONDS, RELOADS = 32, 5, 9
MORE = lab.toml(("[[forward]]", {"name": "more", "listen": "0.0.0.0:5000", "to": "10.9.0.2:5000"}))


def reloads(on, adit):
    file = on.vps_node.directory / "adit.toml"
    plain = file.read_text()

    def meanwhile(warm_up):
        time.sleep(warm_up)
        for turn in range(RELOADS):
            file.write_text(plain + MORE if turn % 2 == 0 else plain)
            on.vps_node.run(adit, "reload", check=True)
            time.sleep(SECONDS / 10)
        return {}

    return meanwhile


def restart(on, stack):
    def meanwhile(warm_up):
        time.sleep(warm_up + 1)
        on.vps.popen.terminate()
        on.vps.wait()
        log = on.vps_node.directory / "again.log"
        stack.append(lab.Process(on.vps.words, log, on.vps_node.environment()))
        return {}

    return meanwhile


def one_round(options):
    again = []
    with course(AditGateway, options.adit, options.adit, options.players, PLAYERS) as on:
        try:
            told = {"in peace": on.play(options.rate, SECONDS, PLAYERS)}
            told["with reloads"] = on.play(options.rate, SECONDS, PLAYERS, reloads(on, options.adit))
            told["with a restart"] = play_through_a_restart(on, options.rate, restart(on, again))
            return told
        finally:
            for process in again:
                process.finish()


def play_through_a_restart(on, rate, meanwhile):
    """As Course.play(), without what the first gateway's process costs: it ends."""
    on = on._replace(vps=on.home)
    return on.play(rate, SECONDS, PLAYERS, meanwhile)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=20000)
    parser.add_argument("--adit", default=lab.ADIT_RELEASE)
    parser.add_argument("--players", default=str(ROOT / "build/bench/bench/adit_players"))
    options = parser.parse_args()
    for number in range(options.rounds):
        for what, found in one_round(options).items():
            lost = found["sent"] - found["returned"]
            print(f"round {number + 1}, {what}: {lost} of {found['sent']} lost, "
                  f"{1000 * lost / options.rate:.1f} ms of traffic", flush=True)


if __name__ == "__main__":
    main()
