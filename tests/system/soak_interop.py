"""adit and wireguard-go with each other, across more than two rekeys, without a lost ping.

Not part of the suite, because rekeying takes its time: `./dev soak` runs it, in about six minutes.  All pairs run at
once, each in namespaces of its own.  $NEWER_WIREGUARD_GO names a second wireguard-go to try.
"""

import itertools
import os
import subprocess
import time
import unittest

import lab

SECONDS = 300  # rekeys after 120 s each: two, and some
PINGS_PER_SECOND = 5
PORT = 51820

GO_PROGRAMS = {"wireguard-go": "wireguard-go"}
if "NEWER_WIREGUARD_GO" in os.environ:
    GO_PROGRAMS["newer wireguard-go"] = os.environ["NEWER_WIREGUARD_GO"]


class End:
    """A program with wireguard-go's command line on a node, configured with wg."""

    def __init__(self, test, node, interface, program):
        self.node, self.interface = node, interface
        self.keys = lab.Keys()
        self.process = test.keep(lab.Process(node.command(program, "-f", interface), node.directory / "log",
                                             {"WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"}))
        lab.wait_until(lambda: node.run("wg", "show", interface).returncode == 0, "the program answers wg")

    def configure(self, address, peer, peer_address, endpoint, psk):
        lines = ["[Interface]", f"PrivateKey = {self.keys.private}", f"ListenPort = {PORT}",
                 "[Peer]", f"PublicKey = {peer.keys.public}", f"AllowedIPs = {peer_address}/32"]
        lines += [f"Endpoint = {endpoint}"] if endpoint else []
        lines += [f"PresharedKey = {psk}"] if psk else []
        self.node.run("wg", "setconf", self.interface, self.node.write("wg.conf", "\n".join(lines) + "\n"), check=True)
        self.node.add_address(self.interface, f"{address}/24")
        self.node.ip("link", "set", self.interface, "mtu", 1420, "up")

    def handshake_age(self):
        when = self.node.run("wg", "show", self.interface, "latest-handshakes", check=True).stdout.split()[1]
        return time.time() - int(when)


class Soak(lab.LabTest):
    def start(self, number, program, begins, psk, ipv6):
        """One pair; the pings that `begins` sends, as a process."""
        left, right = self.node(f"left{number}"), self.node(f"right{number}")
        lab.cable(left, "eth0", right, "eth0")
        for last, node in ((1, left), (2, right)):
            node.add_address("eth0", f"192.0.2.{last}/24", f"2001:db8::{last}/64")
        ends = {"adit": End(self, left, f"wgl{number}", lab.ADIT_RELEASE),
                "other": End(self, right, f"wgr{number}", program)}
        secret = lab.run("wg", "genpsk", check=True).stdout.strip() if psk else None
        first, second = ("adit", "other") if begins == "adit" else ("other", "adit")
        target = ("[2001:db8::{}]" if ipv6 else "192.0.2.{}").format(2 if second == "other" else 1)
        ends[second].configure("10.9.0.2", ends[first], "10.9.0.1", None, secret)
        ends[first].configure("10.9.0.1", ends[second], "10.9.0.2", f"{target}:{PORT}", secret)
        ping = subprocess.Popen(
            ends[first].node.command("ping", "-q", "-i", 1 / PINGS_PER_SECOND, "-w", SECONDS, "10.9.0.2"),
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(ping.kill)
        return ends, ping

    def test_no_ping_is_lost_across_rekeys(self):
        programs = {"adit": lab.ADIT_RELEASE} | GO_PROGRAMS
        cases = list(itertools.product(programs, ("adit", "other"), (True, False), (True, False)))
        running = [(case, *self.start(number, programs[case[0]], *case[1:])) for number, case in enumerate(cases)]
        for case, ends, ping in running:
            with self.subTest(other=case[0], begins=case[1], psk=case[2], ipv6=case[3]):
                report = ping.communicate(timeout=SECONDS + 60)[0]
                self.assertRegex(report, r" 0% packet loss")
                for end in ends.values():
                    self.assertLess(end.handshake_age(), 125, "the session is not older than a rekey")


if __name__ == "__main__":
    unittest.main()
