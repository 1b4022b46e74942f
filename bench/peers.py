#!/usr/bin/env python3
"""What a packet costs a gateway when it has many peers: CPU time of the whole program, system calls and kernel included.

    bench/peers.py [--rounds N] [--seconds N] [--rate PACKETS] [--size BYTES] [--against PROGRAM]

For each number of peers and allowed IPs there is a gateway with sessions, and a cable to a machine where adit_homes
sends packets through the tunnel, from any of the addresses at random, always at the same rate: none after the other has
the same peer.  Gateways take turns; printed are medians (lowest-highest) of nanoseconds a packet over the rounds, and
of the ratio to the first one's in the same round.
"""

import argparse
import contextlib
import pathlib
import statistics
import subprocess
import sys
import tempfile

from lab_tunnel import describe_machine, lab, version

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ((1, 1), (1, 100_000), (10_000, 10_000), (10_000, 100_000))  # peers, allowed IPs
PORT = 51820


class Gateway:
    def __init__(self, program, number, peers, addresses, directory, stack):
        self.node, homes = (lab.Node(f"{name}{number}", directory) for name in ("gateway", "homes"))
        for node in (self.node, homes):
            stack.callback(lab.run, "ip", "netns", "del", node.name)
        lab.cable(self.node, "eth0", homes, "eth0")
        self.node.add_address("eth0", "192.0.2.1/24")
        homes.add_address("eth0", "192.0.2.2/24")
        self.name = f"wg{number}"
        self.process = lab.Process(self.node.command(program, "-f", self.name), self.node.directory / "log",
                                   {"WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"})
        stack.callback(self.process.kill)
        peers_file = homes.directory / "peers"
        self.homes = subprocess.Popen(homes.command(ROOT / "build/bench/bench/adit_homes", peers, addresses, peers_file),
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(self.homes.kill)
        self.expect("written")
        self.configure(peers_file.read_text())

    def configure(self, peers):
        keys = lab.Keys()
        lab.wait_until(lambda: self.node.run("wg", "show", self.name).returncode == 0, f"{self.name} answers wg")
        text = f"[Interface]\nPrivateKey = {keys.private}\nListenPort = {PORT}\n{peers}"
        self.node.run("wg", "setconf", self.name, self.node.write("wg.conf", text), check=True)
        self.node.ip("link", "set", self.name, "mtu", 1420, "up")
        lab.wait_until(lambda: f":{PORT} " in self.node.run("ss", "-Hlnu").stdout, f"{self.name} has its port")
        self.tell(f"connect {keys.public} 192.0.2.1:{PORT}")

    def tell(self, command):
        print(command, file=self.homes.stdin, flush=True)

    def expect(self, word):
        said = self.homes.stdout.readline().split()
        if said[:1] != [word]:
            raise RuntimeError(f"adit_homes said {said}, not {word}")
        return said

    def received(self):
        return int(self.node.run("cat", f"/sys/class/net/{self.name}/statistics/rx_packets", check=True).stdout)

    def cpu_nanoseconds(self):
        return sum(int((task / "schedstat").read_text().split()[0])
                   for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir())

    def cost(self, rate, seconds, size):
        """Nanoseconds a packet."""
        packets, began = self.received(), self.cpu_nanoseconds()
        self.tell(f"send {rate} {seconds} {size}")
        sent = int(self.expect("sent")[1])
        packets = self.received() - packets
        if packets < 0.99 * sent:
            raise RuntimeError(f"{self.name} took {packets} of {sent} packets: too many a second for this machine")
        return (self.cpu_nanoseconds() - began) / packets


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--rate", type=int, default=60_000, help="packets a second")
    parser.add_argument("--size", type=int, default=200, help="bytes of an inner packet")
    parser.add_argument("--against", metavar="PROGRAM", help="another program in adit's place")
    options = parser.parse_args()
    program = options.against or ROOT / "build/release/adit"
    machine = describe_machine()
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateways = [Gateway(program, i, *case, directory, stack) for i, case in enumerate(CASES)]
        for gateway in gateways:
            gateway.expect("connected")
        costs = [[gateway.cost(options.rate, options.seconds, options.size) for gateway in gateways]
                 for _ in range(options.rounds)]
    print(f"{machine['processors']} x {machine['processor']}, {machine['system']}; "
          f"{version(pathlib.Path(program).name, program)}; {' '.join(['bench/peers.py', *sys.argv[1:]])}\n")
    print(f"{'peers':>8}{'allowed IPs':>14}  {'ns a packet':24}ratio")
    for i, (peers, addresses) in enumerate(CASES):
        own = [each[i] for each in costs]
        ratios = [each[i] / each[0] for each in costs]
        print(f"{peers:8,}{addresses:14,}  {spread(own, '.0f'):24}{spread(ratios, '.2f')}")


if __name__ == "__main__":
    main()
