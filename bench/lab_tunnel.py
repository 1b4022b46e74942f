"""What the benchmarks of whole tunnels share: an end of a tunnel, what its process costs, and transfers with iperf3."""

import contextlib
import json
import os
import pathlib
import platform
import re
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/system"))

import lab  # noqa: E402

TUNNEL_PORT = 51820
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class Tunnel:
    """One end: a program that takes wireguard-go's command line, configured with wg."""

    def __init__(self, program, node, address, keys, peer_keys, peer_address, endpoint=None):
        self.node, self.interface = node, f"wg-{node.name}"  # control sockets share a directory
        self.process = lab.Process(
            node.command(program, "-f", self.interface),
            node.directory / "log",
            {"WG_PROCESS_FOREGROUND": "1", "LOG_LEVEL": "error"},
        )
        try:
            self._configure(address, keys, peer_keys, peer_address, endpoint)
        except BaseException:
            self.process.kill()
            raise

    def _configure(self, address, keys, peer_keys, peer_address, endpoint):
        node = self.node
        lab.wait_until(self._answers, f"{self.interface} answers wg")
        lines = ["[Interface]", f"PrivateKey = {keys.private}", f"ListenPort = {TUNNEL_PORT}"]
        lines += ["[Peer]", f"PublicKey = {peer_keys.public}", f"AllowedIPs = {peer_address}/32"]
        if endpoint:
            lines += [f"Endpoint = {endpoint}:{TUNNEL_PORT}", "PersistentKeepalive = 1"]
        node.run("wg", "setconf", self.interface, node.write("wg0.conf", "\n".join(lines) + "\n"), check=True)
        node.add_address(self.interface, f"{address}/24")
        node.ip("link", "set", self.interface, "mtu", 1420, "up")

    def _answers(self):
        if not self.process.runs():
            raise AssertionError(f"{self.process.words} has ended:\n{self.process.log()}")
        return self.node.run("wg", "show", self.interface).returncode == 0

    def handshaken(self, public_key):
        for line in self.node.run("wg", "show", self.interface, "latest-handshakes", check=True).stdout.splitlines():
            key, when = line.split()
            if key == public_key:
                return int(when) > 0
        return False

    def _memory_kib(self, field):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(field):
                return int(line.split()[1])
        return 0

    def resident_kib(self):
        return self._memory_kib("VmRSS")

    def peak_kib(self):
        """The most that was ever resident."""
        return self._memory_kib("VmHWM")

    def cpu_seconds(self):
        """User and system time of all its threads since it began."""
        stat = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()  # proc(5): the third field is the first after the name
        return (int(fields[14 - 3]) + int(fields[15 - 3])) / TICKS_PER_SECOND


def machine_cpu_seconds():
    """Time that all processors together were not idle, since the machine began."""
    user, nice, system, _idle, _iowait, irq, softirq = pathlib.Path("/proc/stat").read_text().split()[1:8]
    return sum(map(int, (user, nice, system, irq, softirq))) / TICKS_PER_SECOND


def describe_machine():
    """What a reader must know of it; takes a second, for the share of it that others keep the processors busy."""
    model = re.search(r"^model name\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    before = machine_cpu_seconds()
    time.sleep(1)
    return {
        "processor": model[1] if model else platform.machine(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "busy_before": round((machine_cpu_seconds() - before) / os.cpu_count(), 3),
    }


def version(name, program):
    """The program's version after the name it has here."""
    said = lab.run(program, "--version")
    number = re.search(r"\bv?\d[\w.-]*", said.stdout + said.stderr)
    return f"{name} {number[0] if number else 'of unknown version'}"


def iperf_server(node):
    """An iperf3 server that listens already."""
    server = lab.Process(node.command("iperf3", "-s"), node.directory / "iperf3.log")
    try:
        lab.wait_until(lambda: node.run("ss", "-ltnH", "sport = :5201", check=True).stdout, "iperf3 listens")
    except BaseException:
        server.kill()
        raise
    return server


class Transfer:
    """An iperf3 client in the background."""

    def __init__(self, node, server, seconds, *options):
        self.seconds, self.result_file = seconds, node.directory / "transfer.json"
        self.result_file.unlink(missing_ok=True)  # iperf3 appends
        words = ["iperf3", "-c", server, "-t", seconds, *options, "-J", "--logfile", self.result_file]
        self.process = lab.Process(node.command(*words), node.directory / "transfer.log")

    def received(self):
        """Waits for its end and returns what arrived: a dictionary with bytes, seconds and bits_per_second."""
        try:
            status = self.process.wait(self.seconds + 20)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.process.words} does not end") from None
        finally:
            self.process.kill()
        if status != 0:
            raise AssertionError(f"{self.process.words}: {self.process.log()}{self.result_file.read_text()[-500:]}")
        received = json.loads(self.result_file.read_text())["end"]["sum_received"]
        if received["bytes"] == 0:
            raise AssertionError(f"{self.process.words}: nothing arrived")
        return received


class Rig(NamedTuple):
    """A client, a server and its address, and the tunnels' ends between them: two, or none."""

    client: lab.Node
    server: lab.Node
    address: str
    ends: list

    def arrived(self):
        """UDP datagrams that the server's kernel has had for its programs, with those that found a socket full."""
        lines = self.server.run("cat", "/proc/net/snmp", check=True).stdout.splitlines()
        names, counts = (line.split()[1:] for line in lines if line.startswith("Udp:"))
        udp = dict(zip(names, map(int, counts)))
        return udp["InDatagrams"] + udp["RcvbufErrors"]


@contextlib.contextmanager
def two_machines(program):
    """Two machines with a session between them, or with the bare cable if there is no program; iperf3 listens."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        client, server = (lab.Node(name, directory) for name in ("client", "server"))
        for node in (client, server):
            stack.callback(lab.run, "ip", "netns", "del", node.name)
        lab.cable(client, "eth0", server, "eth0")
        client.add_address("eth0", "192.0.2.1/24")
        server.add_address("eth0", "192.0.2.2/24")
        ends = _session(program, client, server, stack) if program else []
        stack.callback(iperf_server(server).kill)
        yield Rig(client, server, "10.9.0.2" if program else "192.0.2.2", ends)


def _session(program, client, server, stack):
    client_keys, server_keys = lab.Keys(), lab.Keys()
    far = Tunnel(program, server, "10.9.0.2", server_keys, client_keys, "10.9.0.1")
    stack.callback(far.process.finish)
    near = Tunnel(program, client, "10.9.0.1", client_keys, server_keys, "10.9.0.2", "192.0.2.2")
    stack.callback(near.process.finish)
    lab.wait_until(lambda: far.handshaken(client_keys.public), "session")
    return [near, far]
