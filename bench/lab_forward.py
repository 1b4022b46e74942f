"""What bench/forward.py measures: players, a VPS that forwards one UDP port, and a service at home, as namespaces."""

import contextlib
import json
import math
import pathlib
import re
import subprocess
import tempfile
from typing import NamedTuple

from lab_tunnel import TICKS_PER_SECOND, TUNNEL_PORT, Tunnel, lab, machine_cpu_seconds

PUBLIC, PLAYERS_GATEWAY, PLAYERS_MAC = "203.0.113.2", "203.0.113.1", "02:00:00:00:00:99"
FIRST_PLAYER, PLAYERS = "10.128.0.1", "10.128.0.0/9"
PORT = 34197
TUNNEL_NETWORK, VPS_INSIDE, HOME_INSIDE = "10.9.0", "10.9.0.1", "10.9.0.2"
PORTS_OF_AN_ADDRESS = 50_000  # that SNAT can be expected to find


class AditGateway:
    """`adit run` with one forward, as its users have it."""

    def __init__(self, program, node, keys, home_public_key, flows):
        self.node, self.interface = node, "wg-vps"
        config = lab.toml(
            ("[interface]", {
                "name": self.interface,
                "private_key_file": str(node.write("key", keys.private + "\n")),
                "listen_port": TUNNEL_PORT,
                "addresses": [f"{VPS_INSIDE}/24"],
            }),
            ("[[peer]]", {"public_key": home_public_key, "allowed_ips": [f"{HOME_INSIDE}/32"]}),
            ("[[forward]]", {
                "name": "game",
                "protocol": "udp",
                "listen": [f"0.0.0.0:{PORT}"],
                "to": f"{HOME_INSIDE}:{PORT}",
                "source": "snat",
                "max_flows": max(flows, 64),
            }),
        )
        words = node.command(program, "run", "-c", node.write("adit.toml", config))
        self.process = lab.Process(words, node.directory / "log", node.environment())
        try:
            self.process.wait_for_log(" ready: ")
        except BaseException:
            self.process.kill()
            raise


def nat_gateway(program, node, keys, home_public_key, flows):
    """The way it is done without a forwarder: a tunnel, and the kernel's NAT between it and the internet."""
    home = type("PublicHalf", (), {"public": home_public_key})
    tunnel = Tunnel(program, node, VPS_INSIDE, keys, home, HOME_INSIDE)
    addresses = math.ceil(flows / PORTS_OF_AN_ADDRESS)
    last = VPS_INSIDE
    for number in range(1, addresses):
        last = f"{TUNNEL_NETWORK}.{100 + number}"
        node.add_address(tunnel.interface, f"{last}/24")
    sources = VPS_INSIDE if addresses == 1 else f"{TUNNEL_NETWORK}.101-{last}"
    rules = f"""
        table ip forward_bench {{
            chain to_home {{
                type nat hook prerouting priority dstnat
                iifname "eth0" udp dport {PORT} dnat to {HOME_INSIDE}
            }}
            chain from_us {{
                type nat hook postrouting priority srcnat
                oifname "{tunnel.interface}" ip daddr {HOME_INSIDE} udp dport {PORT} snat to {sources}
            }}
        }}"""
    node.run("nft", "-f", "-", text=rules, check=True)
    node.run("sysctl", "-qw", "net.ipv4.ip_forward=1", check=True)
    return tunnel


class Process(NamedTuple):
    """What a process has cost so far."""

    cpu_seconds: float
    resident_mib: float

    @classmethod
    def look(cls, pid):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        resident = re.search(r"^VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
        return cls((int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND, int(resident[1]) / 1024)


def softirq_seconds():
    return int(pathlib.Path("/proc/stat").read_text().split()[7]) / TICKS_PER_SECOND


class Course(NamedTuple):
    """All of it, running."""

    players: lab.Node
    vps_node: lab.Node
    home_node: lab.Node
    gateway_mac: str
    program: str  # bench/players.cc
    vps: lab.Process
    home: lab.Process
    service: lab.Process
    flows: int

    def all_cpu_seconds(self):
        return sum(Process.look(each.pid).cpu_seconds for each in (self.vps, self.home, self.service))

    def play(self, rate, seconds, flows=None, meanwhile=None):
        """What the players saw in `seconds` at so many datagrams per second, and what a million round trips cost."""
        flows = flows or self.flows
        warm_up = max(0.3, 1.2 * flows / rate) if flows > 1 else 0.2
        words = ["play", "eth0", self.gateway_mac, FIRST_PLAYER, PUBLIC, PORT, flows, rate, f"{warm_up:.2f}", seconds]
        vps, everything, machine, softirq = (Process.look(self.vps.pid), self.all_cpu_seconds(), machine_cpu_seconds(),
                                             softirq_seconds())
        running = subprocess.Popen(self.players.command(self.program, *words), stdout=subprocess.PIPE, text=True)
        try:
            told = meanwhile(warm_up) if meanwhile else {}
            output, _ = running.communicate(timeout=warm_up + seconds + 30)
        finally:
            running.kill()
            running.wait()
        if running.returncode != 0:
            raise AssertionError(f"the players ended with {running.returncode}")
        found = told | json.loads(output)
        # The warm-up costs the same as the rest, so it counts among what was paid for.
        millions = max(found["returned"], 1) * (1 + warm_up / seconds) / 1e6
        after = Process.look(self.vps.pid)
        return found | {
            "rate": rate,
            "flows": flows,
            "loss": 1 - found["returned"] / found["sent"],
            "vps_cpu": (after.cpu_seconds - vps.cpu_seconds) / millions,
            "processes_cpu": (self.all_cpu_seconds() - everything + found["generator_cpu_seconds"]) / millions,
            "machine_cpu": (machine_cpu_seconds() - machine) / millions,
            "softirq_cpu": (softirq_seconds() - softirq) / millions,
            "players_cpu": found["generator_cpu_seconds"] / millions,
            "resident": after.resident_mib,
        }


@contextlib.contextmanager
def course(gateway, vps_program, home_program, players_program, flows):
    """`gateway` is AditGateway or nat_gateway."""
    with contextlib.ExitStack() as stack:
        directory = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        players, vps, home = (lab.Node(name, directory) for name in ("players", "vps", "home"))
        for node in (players, vps, home):
            stack.callback(lab.run, "ip", "netns", "del", node.name)
        lab.cable(players, "eth0", vps, "eth0")
        lab.cable(vps, "eth1", home, "eth0")
        vps.add_address("eth0", f"{PUBLIC}/24")
        vps.ip("neigh", "add", PLAYERS_GATEWAY, "lladdr", PLAYERS_MAC, "dev", "eth0", "nud", "permanent")
        vps.ip("route", "add", PLAYERS, "via", PLAYERS_GATEWAY)
        vps.add_address("eth1", "192.0.2.1/24")
        home.add_address("eth0", "192.0.2.2/24")

        vps_keys, home_keys = lab.Keys(), lab.Keys()
        forwarder = gateway(vps_program, vps, vps_keys, home_keys.public, flows)
        stack.callback(forwarder.process.finish)
        far = Tunnel(home_program, home, HOME_INSIDE, home_keys, vps_keys, f"{TUNNEL_NETWORK}.0", "192.0.2.1")
        stack.callback(far.process.finish)
        home.run("wg", "set", far.interface, "peer", vps_keys.public, "allowed-ips", f"{TUNNEL_NETWORK}.0/24", check=True)
        service = lab.Process(home.command(players_program, "echo", PORT), directory / "echo.log")
        stack.callback(service.kill)
        lab.wait_until(lambda: far.handshaken(vps_keys.public), "session")
        mac = json.loads(vps.ip("-j", "link", "show", "eth0"))[0]["address"]
        yield Course(players, vps, home, mac, players_program, forwarder.process, far.process, service, flows)
