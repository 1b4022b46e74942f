"""The lab of the tests in which adit stands in wireguard-go's place: two machines, a tunnel, and `wg`."""

import contextlib
import json
import pathlib
import socket

import lab

RUN_DIRECTORY = pathlib.Path("/run/wireguard")


def socket_of(interface):
    return RUN_DIRECTORY / f"{interface}.sock"


def processes_of(interface):
    """The programs that run with this interface's name as last argument."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")[:-1]
            if entry.name.isdigit() and words and words[-1] == interface.encode():
                found.append(int(entry.name))
    return found


class DropInLab(lab.LabTest):
    """Two machines with a cable and a tunnel between them.

    one  192.0.2.1, 2001:db8::1 ---- 192.0.2.2, 2001:db8::2  two
         10.0.0.1, fd00::1     ==wg1====wg2==     10.0.0.2, fd00::2
    """

    def setUp(self):
        super().setUp()
        self.one, self.two = self.node("one"), self.node("two")
        lab.cable(self.one, "eth0", self.two, "eth0")
        self.one.add_address("eth0", "192.0.2.1/24", "2001:db8::1/64")
        self.two.add_address("eth0", "192.0.2.2/24", "2001:db8::2/64")
        self.keys_one, self.keys_two = lab.Keys(), lab.Keys()

    def run_on(self, node, *words, environment=None, **options):
        return lab.run(*node.command(*words), environment=environment, **options)

    def wg(self, node, *words, **options):
        return self.run_on(node, "wg", *words, check=True, **options).stdout

    def start(self, node, interface, environment=None, program=lab.ADIT):
        process = lab.Process(
            node.command(program, "-f", interface),
            node.directory / f"{interface}.log",
            {"LOG_LEVEL": "verbose", "WG_PROCESS_FOREGROUND": "1"} | (environment or {}),
            expect_exit=0,
        )
        self.keep(process)
        lab.wait_until(lambda: self.answers(node, interface), f"{interface} answers wg")
        return process

    def answers(self, node, interface):
        return socket_of(interface).exists() and self.run_on(node, "wg", "show", interface).returncode == 0

    def configure(self, node, interface, keys, peer_keys, endpoint, number, peer_number, port=51820, **changes):
        lines = ["[Interface]", f"PrivateKey = {keys.private}", f"ListenPort = {port}", "[Peer]"]
        peer = {"PublicKey": peer_keys.public, "AllowedIPs": f"10.0.0.{peer_number}/32, fd00::{peer_number}/128"}
        if endpoint:
            peer["Endpoint"] = endpoint
        lines += [f"{key} = {value}" for key, value in (peer | changes).items()]
        conf = node.write(f"{interface}.conf", "\n".join(lines) + "\n")
        self.wg(node, "setconf", interface, conf)

    def configure_both(self, **changes):
        self.configure(self.one, "wg1", self.keys_one, self.keys_two, "192.0.2.2:51820", 1, 2, **changes)
        self.configure(self.two, "wg2", self.keys_two, self.keys_one, None, 2, 1, **changes)

    def address(self, node, interface, number):
        node.add_address(interface, f"10.0.0.{number}/24", f"fd00::{number}/64")
        node.ip("link", "set", interface, "up")

    def start_both(self, other_program=lab.ADIT, **changes):
        one, two = self.start(self.one, "wg1"), self.start(self.two, "wg2", program=other_program)
        self.configure_both(**changes)
        self.address(self.one, "wg1", 1)
        self.address(self.two, "wg2", 2)
        return one, two

    def pings(self, node, address, *options):
        return self.run_on(node, "ping", "-n", "-c", "1", "-W", "2", *options, address).returncode == 0

    def expect_tunnel(self):
        for node, addresses in ((self.one, ("10.0.0.2", "fd00::2")), (self.two, ("10.0.0.1", "fd00::1"))):
            for address in addresses:
                lab.wait_until(lambda: self.pings(node, address), f"{node.name} pings {address}")

    def endpoint(self, interface):
        """Where its one peer is, as it knows."""
        return self.wg(self.one, "show", interface, "endpoints").split()[1]

    def transfer(self, interface):
        """Bytes received from its one peer, and sent there."""
        return tuple(map(int, self.wg(self.one, "show", interface, "transfer").split()[1:]))

    def iperf_server(self, node, address):
        server = self.keep(lab.Process(
            node.command("iperf3", "--server", "--one-off", "--forceflush", "--bind", address),
            self.directory / "iperf3.log",
        ))
        server.wait_for_log("Server listening")
        return server

    def iperf(self, client, server, address, *options):
        """What the receiver has to say about a run from one node to another."""
        listening = self.iperf_server(server, address)
        result = self.run_on(client, "iperf3", "--client", address, "--json", *options, timeout=30)
        report = json.loads(result.stdout)
        self.assertNotIn("error", report)
        listening.wait()
        return report["end"]

    def expect_nothing_left(self, node, interface):
        lab.wait_until(lambda: not processes_of(interface), f"no process of {interface}")
        # A process loses its command line a moment before its descriptors are closed.
        lab.wait_until(lambda: not node.has_interface(interface), f"no {interface}")
        self.assertFalse(socket_of(interface).exists())

    def ask(self, interface, request, end=True):
        """Speaks to the control socket as it stands in the specification."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(lab.GENEROUS)
            client.connect(str(socket_of(interface)))
            client.sendall(request.encode())
            if end:
                client.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := client.recv(65536):
                answer += piece
                if not end and answer.endswith(b"\n\n"):
                    break
            return answer.decode()
